"""Reports: one page that shows what was compared, what came out, how surely, and how it looks."""
