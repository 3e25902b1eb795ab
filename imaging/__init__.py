"""Everything that makes an image or its first label map: files, plates, the simulator, the CIP."""
