/** The column of tools. */

import { find } from "../elements";
import type { Tool } from "../stage";
import type { Field } from "./field";
import type { ToolName } from "./tools";

export class ToolBar {
  private chosen: ToolName = "brush";
  private held = false;

  constructor(
    private readonly field: Field,
    private readonly tools: Record<ToolName, Tool>,
  ) {
    for (const button of buttons()) {
      button.addEventListener("click", () => this.choose(button.dataset.tool as ToolName));
    }
    find("undo").addEventListener("click", () => void field.step("undo"));
    find("redo").addEventListener("click", () => void field.step("redo"));
    find("fit").addEventListener("click", () => field.stage.fitView());
  }

  choose(name: ToolName): void {
    this.chosen = name;
    this.field.stage.setTool(this.tools[name]);
    this.hold(this.held);
    for (const button of buttons()) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }

  /** Move the image while `held`, whatever the tool. */
  hold(held: boolean): void {
    this.held = held;
    this.field.stage.panning = held || this.chosen === "pan";
  }

  /** Finish what is drawn corner by corner; false if nothing is. */
  finish(): boolean {
    const tool = this.tools[this.chosen] as Tool & { finish?: () => boolean };
    return tool.finish?.() ?? false;
  }

  showSteps(): void {
    find<HTMLButtonElement>("undo").disabled = !this.field.canUndo;
    find<HTMLButtonElement>("redo").disabled = !this.field.canRedo;
  }
}

function buttons(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-tool]")];
}
