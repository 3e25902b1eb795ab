/** Every tool and setting of the correction page on a key. */

import { find } from "../elements";
import type { Binding } from "../keys";
import type { Field } from "./field";
import type { LabelPanel } from "./labels";
import type { Round } from "./round";
import type { ToolBar } from "./toolbar";
import type { ToolName } from "./tools";

interface Parts {
  bar: ToolBar;
  labels: LabelPanel;
  field: Field;
  round: Round;
}

const STEP_PX = 60;

export function makeBindings({ bar, labels, field, round }: Parts): Binding[] {
  const tool = (key: string, name: ToolName, does: string) => ({ keys: [key], does, run: () => bar.choose(name) });
  const { stage } = field;
  document.addEventListener("keyup", (event) => event.key === " " && bar.hold(false));
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
    { keys: [" "], does: "Move the image while held", run: () => bar.hold(true) },
    { keys: [..."0123456789"], does: "Class to paint", run: (event) => labels.choose(Number(event.key)) },
    { keys: ["["], does: "Smaller brush", run: () => labels.changeDiameter(-1) },
    { keys: ["]"], does: "Larger brush", run: () => labels.changeDiameter(1) },
    { keys: ["k"], does: "Only this class may change: every, then each", run: () => labels.cycleOnly() },
    { keys: ["ctrl+z", "z"], does: "Undo", run: () => void field.step("undo") },
    { keys: ["ctrl+shift+z", "ctrl+y", "shift+z"], does: "Redo", run: () => void field.step("redo") },
    { keys: ["t"], does: "Show or hide labels", run: () => labels.toggle("visible") },
    { keys: ["o"], does: "Outlines or areas", run: () => labels.toggle("outline") },
    { keys: ["c"], does: "Channels together, or the next alone", run: () => field.looks.cycle() },
    { keys: ["+", "="], does: "Zoom in", run: () => stage.zoomBy(1) },
    { keys: ["-"], does: "Zoom out", run: () => stage.zoomBy(-1) },
    { keys: ["."], does: "Show all of the field", run: () => stage.fitView() },
    { keys: ["arrowleft"], does: "Look further left", run: () => stage.panBy(STEP_PX, 0) },
    { keys: ["arrowright"], does: "Look further right", run: () => stage.panBy(-STEP_PX, 0) },
    { keys: ["arrowup"], does: "Look further up", run: () => stage.panBy(0, STEP_PX) },
    { keys: ["arrowdown"], does: "Look further down", run: () => stage.panBy(0, -STEP_PX) },
    { keys: ["escape"], does: "Forget what is drawn", run: () => stage.tool.cancel?.() },
    { keys: ["enter"], does: "Close the polygon; else accept and go on", run: () => bar.finish() || find("accept").click() },
    { keys: ["s"], does: "Skip", run: () => find("skip").click() },
    { keys: ["j"], does: "Cannot judge", run: () => round.judge() },
    { keys: ["pageup"], does: "Back", run: () => void round.walk(-1) },
    { keys: ["pagedown"], does: "Forward", run: () => void round.walk(1) },
  ];
}
