"""What a config may name without deserving a reader's eye; for `noisylabels lint-bundle`."""

import ast

TARGETS = (
    "ignite.handlers.",
    "ignite.metrics.",
    "noisylabels.learning.monai_io.",
    "monai.data.",
    "monai.engines.",
    "monai.handlers.",
    "monai.inferers.",
    "monai.losses.",
    "monai.networks.",
    "monai.transforms.",
    "noisylabels.learning.",
    "noisylabels.noise.transforms.",
    "torch.nn.",
    "torch.optim.",
)
"""Where a `_target_` may be a class of; a bare class name is one of MONAI's own components."""

FUNCTIONS = frozenset(
    f"noisylabels.learning.{name}"
    for name in (
        "checkpoints.load_weights",
        "checks.check_fields",
        "checks.check_images",
        "datalist.choose_split",
        "datalist.read_class_names",
        "datalist.read_fields",
        "datalist.read_images",
        "datalist.share_of",
        "metrics.class_ious",
        "robust.trusted.mix_trusted_fields",
    )
)
"""What a `_target_` may be besides a class."""

MODULES = frozenset({"glob", "json", "math", "monai", "numpy", "operator", "os", "sys", "torch", "torch.distributed"})
"""What an expression may import: naming a module is harmless, its calls are looked at one by one."""

CALLS = frozenset(
    {
        "dist.destroy_process_group",
        "dist.get_rank",
        "dist.get_world_size",
        "dist.init_process_group",
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
        "sys.stderr.isatty",
        "torch.cuda.is_available",
        "torch.cuda.is_bf16_supported",
        "torch.cuda.set_device",
        "torch.device",
    }
)
"""Functions that an expression may call."""

METHODS = frozenset({"attach", "initialize", "parameters", "run", "to"})
"""Methods that an expression may call of what the config itself made (`@network.parameters()`)."""

HARMLESS = (
    ast.Attribute,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.Expr,
    ast.IfExp,
    ast.List,
    ast.Module,
    ast.Name,
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
