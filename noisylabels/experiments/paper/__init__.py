"""The paper's study on simulated screens: CIP, CDL and MDL by every evaluation of the paper, and against the truth."""
