"""Files, plates, the simulator and the conventional image processing (CIP): everything that makes an image or its first label map."""
