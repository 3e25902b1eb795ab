"""No file needs another that needs it."""

import grimp
import networkx


def test_imports_run_in_no_circle():
    graph = grimp.build_graph("noisylabels", "evaluation")
    arrows = [(file, other) for file in graph.modules for other in graph.find_modules_directly_imported_by(file)]
    assert len(arrows) > 1000
    circles = networkx.strongly_connected_components(networkx.DiGraph(arrows))
    assert [sorted(circle) for circle in circles if len(circle) > 1] == []
