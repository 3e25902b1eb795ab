"""What a config may name without deserving a reader's eye; for `noisylabels lint-bundle`."""

import ast

NETWORKS = frozenset(
    {
        "AttentionUnet",
        "BasicUNet",
        "BasicUNetPlusPlus",
        "DynUNet",
        "SegResNet",
        "SegResNetDS",
        "SwinUNETR",
        "UNETR",
        "UNet",
        "VNet",
        "noisylabels.learning.network.PoolUNet",
    }
)
"""Networks: all that a record beside weights may name."""

_MONAI = {
    "monai.engines": ("SupervisedEvaluator", "SupervisedTrainer"),
    "monai.data": ("CacheDataset", "DataLoader", "Dataset", "DistributedSampler"),
    "monai.handlers": (
        "CheckpointLoader",
        "CheckpointSaver",
        "ConfusionMatrix",
        "EarlyStopHandler",
        "HausdorffDistance",
        "LrScheduleHandler",
        "MeanDice",
        "MeanIoUHandler",
        "MetricsSaver",
        "StatsHandler",
        "SurfaceDistance",
        "TensorBoardStatsHandler",
        "ValidationHandler",
    ),
    "monai.inferers": ("SimpleInferer", "SlidingWindowInferer"),
    "monai.losses": (
        "DiceCELoss",
        "DiceFocalLoss",
        "DiceLoss",
        "FocalLoss",
        "GeneralizedDiceFocalLoss",
        "GeneralizedDiceLoss",
        "TverskyLoss",
    ),
    "monai.networks.nets": tuple(sorted(name for name in NETWORKS if "." not in name)),
    "monai.transforms": (
        "Activationsd",
        "AsDiscreted",
        "CastToTyped",
        "CenterSpatialCropd",
        "Compose",
        "CropForegroundd",
        "DivisiblePadd",
        "EnsureChannelFirstd",
        "EnsureTyped",
        "Invertd",
        "LoadImaged",
        "NormalizeIntensityd",
        "Rand2DElasticd",
        "RandAdjustContrastd",
        "RandAffined",
        "RandCropByPosNegLabeld",
        "RandCropByLabelClassesd",
        "RandFlipd",
        "RandGaussianNoised",
        "RandGaussianSmoothd",
        "RandRotate90d",
        "RandRotated",
        "RandScaleIntensityd",
        "RandShiftIntensityd",
        "RandSpatialCropd",
        "RandSpatialCropSamplesd",
        "RandZoomd",
        "ResizeWithPadOrCropd",
        "SaveImaged",
        "ScaleIntensityRanged",
        "ScaleIntensityRangePercentilesd",
        "ScaleIntensityd",
        "SpatialPadd",
        "SqueezeDimd",
    ),
}

_OWN = (
    "checkpoint_handlers.BestModelSaver",
    "checkpoint_handlers.CheckpointLoader",
    "checkpoints.load_weights",
    "checks.check_fields",
    "checks.check_images",
    "confidence.EventConfidenced",
    "confidence.SmallEventsDropd",
    "confidence.EventTableSaver",
    "data.FieldDataset",
    "datalist.choose_split",
    "datalist.read_class_names",
    "datalist.read_fields",
    "datalist.read_images",
    "datalist.share_of",
    "devices.count_workers",
    "divergence.StopOnDivergence",
    "generalized_dice.MatlabGeneralizedDiceLoss",
    "inferer.FastInferer",
    "inferer.FieldInferer",
    "metrics.PooledIoU",
    "metrics.class_ious",
    "monai_io.FieldReader",
    "monai_io.LabelLayout",
    "monai_io.LabelMapWriter",
    "objects.ObjectReader",
    "network.PoolUNet",
    "panels.FieldPanels",
    "progress.ProgressLines",
    "processes.join_group",
    "processes.leave_group",
    "report.EpochReport",
    "tracking.EpochTracker",
    "report.Validation",
    "resident.ResidentLoader",
    "resume.ExactResume",
    "robust.appearance.AppendBinsd",
    "robust.appearance.DropBinsd",
    "robust.background.BackgroundDiscountedCrossEntropy",
    "robust.correction.OnlineCorrection",
    "robust.coteaching.CoTeaching",
    "robust.early_learning.EarlyLearningTrigger",
    "robust.forward.ForwardCorrection",
    "robust.ignoring.IgnoringLoss",
    "robust.image_losses.NoiseRobustDice",
    "robust.image_losses.TLoss",
    "robust.marginal.MarginalThresholdd",
    "robust.memorisation.MemorisationCurves",
    "robust.pixel_losses.CrossEntropy",
    "robust.pixel_losses.GeneralizedCrossEntropy",
    "robust.pixel_losses.SymmetricCrossEntropy",
    "robust.recalibration.RecalibratedDice",
    "robust.teacher.EMATeacher",
    "robust.teacher.Follow",
    "robust.trusted.mix_trusted_fields",
    "robust.warm_start.WarmStart",
    "schedule.StepSchedule",
    "seeding.EpochSampler",
    "seeding.EpochSeeder",
)

_OTHERS = (
    "ignite.handlers.ProgressBar",
    "ignite.metrics.Average",
    "noisylabels.noise.transforms.CorruptLabeld",
    "monai.data.load_decathlon_datalist",
    "monai.optimizers.WarmupCosineSchedule",
    "torch.nn.CrossEntropyLoss",
    "torch.nn.parallel.DistributedDataParallel",
    "torch.optim.Adam",
    "torch.optim.AdamW",
    "torch.optim.SGD",
    "torch.optim.lr_scheduler.CosineAnnealingLR",
    "torch.optim.lr_scheduler.LinearLR",
    "torch.optim.lr_scheduler.OneCycleLR",
    "torch.optim.lr_scheduler.PolynomialLR",
    "torch.optim.lr_scheduler.SequentialLR",
    "torch.optim.lr_scheduler.StepLR",
)

TARGETS = frozenset(
    {
        *(name for names in _MONAI.values() for name in names),
        *(f"{room}.{name}" for room, names in _MONAI.items() for name in names),
        *(f"noisylabels.learning.{name}" for name in _OWN),
        *_OTHERS,
    }
)
"""What a `_target_` may be, word for word; MONAI finds its own components by their bare names."""

READERS = frozenset(
    {"ITKReader", "NibabelReader", "PILReader", "PILWriter", "noisylabels.learning.monai_io.LabelMapWriter"}
)
"""What a `reader` or `writer` may be that is given by its name."""

MODULES = frozenset({"math", "monai", "numpy", "operator", "os", "sys", "torch"})
"""What an expression may import under its own name; what it takes from there is looked at one by one."""

CALLS = frozenset(
    {
        "int",
        "len",
        "list",
        "max",
        "min",
        "monai.handlers.from_engine",
        "monai.utils.set_determinism",
        "operator.itemgetter",
        "os.cpu_count",
        "os.path.exists",
        "os.path.join",
        "round",
        "sys.stderr.isatty",
        "torch.cuda.is_available",
        "torch.cuda.is_bf16_supported",
        "torch.cuda.set_device",
        "torch.device",
        "torch.distributed.destroy_process_group",
        "torch.distributed.get_rank",
        "torch.distributed.get_world_size",
        "torch.distributed.init_process_group",
    }
)
"""Functions that an expression may call."""

VALUES = frozenset({"os.environ", "torch.channels_last", "torch.contiguous_format", "torch.float32"})
"""Names that an expression may hand on without calling them."""

ATTRIBUTES = frozenset({"digest", "type", "validation_digest"})
"""Attributes that an expression may read of what the config itself made."""

METHODS = frozenset({"attach", "initialize", "parameters", "run", "to"})
"""Methods that an expression may call of what the config itself made (`@network.parameters()`)."""

UNSAFE_SETTINGS = frozenset({"allow_pickle", "pickle_module", "trust_remote_code", "trust_repo"})
"""Arguments that let a file run code, unless they are off."""

INERT = frozenset({"", ".csv", ".jpg", ".md", ".pdf", ".png", ".pt", ".rst", ".svg", ".tif", ".tiff", ".txt"})
"""Suffixes of files that no command here runs: texts, images, and weights, which are read as tensors alone."""

HARMLESS = (
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.Expr,
    ast.IfExp,
    ast.List,
    ast.Module,
    ast.Slice,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
    ast.alias,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
    ast.keyword,
    ast.operator,
    ast.unaryop,
)
"""Parts of an expression that do nothing by themselves."""
