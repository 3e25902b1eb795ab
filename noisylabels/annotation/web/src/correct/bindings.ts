/** Every tool and setting of the correction page on a key. */

import { find } from "../elements";
import type { Binding } from "../keys";
import { IGNORE } from "../overlay";
import type { Field } from "./field";
import type { LabelPanel } from "./labels";
import type { Navigation } from "./navigation";
import type { ToolBar } from "./toolbar";
import type { ToolName } from "./tools";

interface Parts {
  bar: ToolBar;
  labels: LabelPanel;
  field: Field;
  navigation: Navigation;
}

const STEP_PX = 60;

export function makeBindings({ bar, labels, field, navigation }: Parts): Binding[] {
  const tool = (key: string, name: ToolName, does: string) => ({ keys: [key], does, run: () => bar.choose(name) });
  const { stage } = field;
  const letGo = () => bar.hold(false);
  document.addEventListener("keyup", (event) => event.key === " " && letGo());
  window.addEventListener("blur", letGo);
  field.onChange = () => {
    bar.showSteps();
    labels.count();
  };
  return [
    tool("b", "brush", "Brush"),
    tool("e", "eraser", "Eraser"),
    tool("l", "lasso", "Lasso: draw around"),
    tool("p", "polygon", "Polygon: click corners; Enter or double click closes"),
    tool("f", "fill", "Fill a connected region"),
    tool("i", "pick", "Pick the class under the pointer"),
    tool("r", "region", "Predict a region: drag a box"),
    tool("h", "pan", "Move the image"),
    { keys: ["Space"], does: "Move the image while held", run: () => bar.hold(true) },
    { keys: [..."0123456789"], does: "Class to paint", run: (key) => labels.choose(Number(key)) },
    { keys: ["x"], does: "Paint \"cannot tell here\": trains and counts nothing", run: () => labels.choose(IGNORE) },
    { keys: ["[", "n"], does: "Narrower brush", run: () => labels.changeDiameter(-1), repeats: true },
    { keys: ["]", "w"], does: "Wider brush", run: () => labels.changeDiameter(1), repeats: true },
    { keys: ["k"], does: "Only this class may change: every, then each", run: () => labels.cycleOnly() },
    { keys: ["$mod+z", "z"], does: "Undo; the last corner of a polygon first", run: () => void field.step("undo"), repeats: true },
    { keys: ["$mod+Shift+z", "$mod+y", "Shift+z"], does: "Redo", run: () => void field.step("redo"), repeats: true },
    { keys: ["t"], does: "Show or hide labels", run: () => labels.toggle("visible") },
    { keys: ["o"], does: "Outlines or areas", run: () => labels.toggle("outline") },
    { keys: ["c"], does: "Channels together, or the next alone", run: () => field.display.cycle() },
    { keys: ["+", "="], does: "Zoom in", run: () => stage.zoomBy(1), repeats: true },
    { keys: ["-"], does: "Zoom out", run: () => stage.zoomBy(-1), repeats: true },
    { keys: ["."], does: "Show all of the field", run: () => stage.fitView() },
    { keys: ["ArrowLeft"], does: "Look further left", run: () => stage.panBy(STEP_PX, 0), repeats: true },
    { keys: ["ArrowRight"], does: "Look further right", run: () => stage.panBy(-STEP_PX, 0), repeats: true },
    { keys: ["ArrowUp"], does: "Look further up", run: () => stage.panBy(0, STEP_PX), repeats: true },
    { keys: ["ArrowDown"], does: "Look further down", run: () => stage.panBy(0, -STEP_PX), repeats: true },
    { keys: ["Escape"], does: "Forget what is drawn", run: () => stage.tool.cancel?.() },
    { keys: ["Enter"], does: "Close the polygon; else accept and go on", run: () => bar.finish() || find("accept").click() },
    { keys: ["s"], does: "Skip", run: () => find("skip").click() },
    { keys: ["j"], does: "Cannot judge", run: () => find("cannot-judge").click() },
    { keys: ["PageUp"], does: "Back", run: () => void navigation.walk(-1) },
    { keys: ["PageDown"], does: "Forward", run: () => void navigation.walk(1) },
  ];
}
