/** The three pictures of a trial: left labels, image, right labels; zoomed and moved together. */

import { find } from "../elements";
import type { Contrast, Look } from "../colours";
import type { Size } from "../raster";
import { Stage } from "../stage";

export const SIDES = ["left", "right"] as const;
export type Side = (typeof SIDES)[number];

export class Panes {
  private readonly stages = {
    left: new Stage(find("stage-left")),
    image: new Stage(find("stage-image")),
    right: new Stage(find("stage-right")),
  };
  private look: Look = "together";
  private channels: string[] = [];

  constructor() {
    for (const stage of this.all()) {
      stage.setTool({ cursor: "grab" });
      stage.panning = true;
      stage.onView = () => {
        for (const other of this.all()) if (other !== stage) other.setView(stage.view);
      };
    }
    for (const id of ["opacity", "visible", "outline"]) find(id).addEventListener("input", () => this.restyle());
  }

  /** Show a trial: the same image three times, with the contrast that was given; no one sets it here. */
  show(planes: Uint16Array[], size: Size, channels: string[], contrast: Contrast[], maps: Record<Side, Uint8Array>): void {
    this.channels = channels;
    for (const stage of this.all()) stage.show(planes, size, contrast);
    for (const side of SIDES) this.stages[side].setMap({ rows: size.rows, columns: size.columns, pixels: maps[side] });
    this.restyle();
    this.setLook("together");
  }

  setPixelSize(um: number | null): void {
    for (const stage of this.all()) stage.setPixelSize(um);
  }

  /** Show nothing. */
  clear(): void {
    for (const stage of this.all()) stage.show([], { rows: 1, columns: 1 }, []);
  }

  zoomBy(steps: number): void {
    this.stages.image.zoomBy(steps);
  }

  fit(): void {
    this.stages.image.fitView();
  }

  /** Show the next channel alone in the middle; the two sides stay as they are. */
  cycle(): void {
    const looks: Look[] = ["together", ...this.channels.keys()];
    this.setLook(looks[(looks.indexOf(this.look) + 1) % looks.length]);
  }

  toggle(id: "visible" | "outline"): void {
    const box = find<HTMLInputElement>(id);
    box.checked = !box.checked;
    this.restyle();
  }

  private setLook(look: Look): void {
    this.look = look;
    this.stages.image.setLook(look);
    find("look").textContent = look === "together" ? "together" : this.channels[look];
  }

  private restyle(): void {
    const opacity = Number(find<HTMLInputElement>("opacity").value);
    find("opacity-text").textContent = `${opacity} %`;
    const visible = find<HTMLInputElement>("visible").checked;
    const outline = find<HTMLInputElement>("outline").checked;
    for (const side of SIDES) this.stages[side].setStyle({ opacity: visible ? opacity / 100 : 0, outline });
  }

  private all(): Stage[] {
    return Object.values(this.stages);
  }
}
