import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { hashSources } from "./sources.ts";

const folder = import.meta.dirname;
const pages = ["index", "correct", "boxes", "rate"];

export default defineConfig({
  plugins: [
    {
      name: "source-hash",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "source.sha256", source: `${hashSources(folder)}\n` });
        const colours = readFileSync(join(folder, "src/colours.json"));
        this.emitFile({ type: "asset", fileName: "colours.json", source: colours }); // the server's Python reads it too
      },
    },
  ],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no inline script or style
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages.map((page) => join(folder, `${page}.html`)) },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
