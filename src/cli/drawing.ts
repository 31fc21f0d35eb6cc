// The characters that a waterfall is drawn with.

export interface Drawing {
  /** Before a span whose siblings follow, and before the last of them. */
  branch: string;
  lastBranch: string;
  /** Below them, down to what follows. */
  trunk: string;
  space: string;
  /** A bar's column: filled, its left half, its right half. */
  full: string;
  leftHalf: string;
  rightHalf: string;
  failed: string;
  /** Where a text is cut. */
  cut: string;
}

export const boxes: Drawing = {
  branch: "├─ ",
  lastBranch: "└─ ",
  trunk: "│  ",
  space: "   ",
  full: "━",
  leftHalf: "╸",
  rightHalf: "╺",
  failed: "✗",
  cut: "…",
};

export const asciiOnly: Drawing = {
  branch: "|- ",
  lastBranch: "`- ",
  trunk: "|  ",
  space: "   ",
  full: "=",
  leftHalf: "=",
  rightHalf: "=",
  failed: "x",
  cut: "~",
};
