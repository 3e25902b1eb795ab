"""The words of the page that no result changes."""

from noisylabels.experiments.paper.experts import DILIGENCE, LEAVE_IOU
from noisylabels.experiments.paper.ratings import IMAGE_SD, NOISE_SD, SEVERITY_SD

PURPOSE = "For checking the paper: every number that it states beside ours, and what it could not know."

METHOD = f"""CIP labels of a simulated Rosella screen train CDL; its predictions of held-out fields are cut in quarters
and corrected by **simulated experts**; MDL learns from the corrected quarters, from scratch and from CDL's weights.

Nobody real corrected, drew or rated anything here. A simulated expert's opinion is the truth with the errors of a noise
model fitted to real annotators (two careful ones, group A; a conservative and a liberal one, group B). She leaves a
predicted event that overlaps her own by an IoU of {LEAVE_IOU:g} as it is, and corrects {DILIGENCE:.0%} of the others.
A simulated rating is 1 + 9 x the true quality (mean Dice of the events) + the rater's severity (SD {SEVERITY_SD:g}) +
the image's own effect (SD {IMAGE_SD:g}) + noise (SD {NOISE_SD:g}), rounded to 1..10."""

NOT_RUN = """**Our side has not been run yet: this page holds the paper's own numbers only.** One command makes the page
with ours beside them, as `OUT/paper.md`, with every table as CSV; killed at any moment, it goes on where it was:

    noisylabels study --preset small --seeds 0,1,2 --out OUT     # two processor cores
    noisylabels study --preset paper --seeds 0 --out OUT         # 4,000 fields of 680 x 512, 15 epochs, a GPU
    noisylabels study --preset tiny --seeds 0 --out OUT          # a rehearsal of every step; it learns nothing

`small` is laid out for under 45 minutes; that has not been measured."""

NOT_THE_SIZE = """**The paper's own size has not been run**: it asks for a GPU. The command is
`noisylabels study --preset paper --seeds 0 --out OUT` (4,000 fields of 680 x 512, 15 epochs)."""

REHEARSAL = """**This is a rehearsal**: fields too small and trainings too short to learn anything. Its numbers say that
every step runs, and nothing else."""

WHEN_MET = """A goal is met where the gain is as large as asked for and both its interval and the permutation test of
wells say that there is one."""

HOW_TO_READ = """As measured there: against expert boxes, corrected maps, ratings. "31 quarters" stands for MDL's test
quarters, "306" for all. Gains are percentage points; relative gains, and each screen alone, stand in
[numbers](tables/numbers.csv)."""

REASONS = """The images are simulated, so none can be expected to be the paper's. CIP is rebuilt from published
steps, and what it misses, swells and invents here is its own (`docs/cip.md`). The experts correct CDL's maps, so
that these lean towards CDL; the columns against the truth do not. MDL is tested on wells that it never saw, and CDL
never saw a corrected field; the paper does not say whether that held for its own. The ratings are computed from the
true quality: they say what such a rating is able to show, not what people think."""

SURROGATES = """Points are methods, epochs, sizes and label maps with a known share of events missed, on MDL's test
quarters. Bias is surrogate minus truth, the mean over screens. A pair is wrong if the surrogate puts two methods of a
screen in another order than the truth. More: [surrogates](tables/surrogates.csv)."""

TEACHER = """Mean IoU on all held-out quarters against the truth and against the CIP, by epoch (e) and number of
training fields (n; the same number of steps). A CDL that trusts its teacher too much gains on the right and loses on
the left."""

COSTS = """Seconds of wall time, means over screens ([spread](tables/costs.csv)); trainings include the prediction of
the quarters. Human minutes are not simulated. The original pipeline is said to take 15 to 20 minutes for a field of
five planes; what else the paper says of time is not repeated here."""

FURTHER = """Every method, class and column: [scores](tables/scores.csv), [classes](tables/classes.csv), pixels and
events confused ([confusion](tables/confusion.csv), [event_confusion](tables/event_confusion.csv)),
[errors](tables/errors.csv) of events, boxes of experts by band of overlap ([experts](tables/experts.csv),
[bands](tables/bands.csv)) and by group ([points](tables/points.csv)), simulated [ratings](tables/ratings.csv) and
their tests ([raters](tables/raters.csv), [agreement](tables/agreement.csv)), the [teacher](tables/teacher.csv)."""
