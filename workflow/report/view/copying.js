// Copying: snippets, and the table as text.

// A page from disk may have no clipboard; where nothing can copy, the text stays selected.
async function copy(lines) {
  try {
    await navigator.clipboard.writeText(lines.textContent);
    return "copied";
  } catch {
    const selection = getSelection();
    selection.selectAllChildren(lines);
    if (!document.execCommand("copy")) return "selected";
    selection.removeAllRanges();
    return "copied";
  }
}

function say(status, text) {
  status.textContent = text;
  setTimeout(() => (status.textContent = ""), 2000);
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    say(button.nextElementSibling, await copy(button.closest(".lines").querySelector("pre")));
  });
}

// Of the table, the rows that are shown, in their order.
const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$" };
Object.assign(LATEX, { "<": "$<$", ">": "$>$", "−": "$-$", "∞": "$\\infty$", "–": "--", "★": "*", "✕": "$\\times$" });
const FORMATS = {
  CSV: (lines) => {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return lines.map((line) => line.map(quoted).join(","));
  },
  Markdown: (lines) => {
    const written = lines.map((line) => `| ${line.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`);
    return [written[0], `| ${lines[0].map(() => "---").join(" | ")} |`, ...written.slice(1)];
  },
  LaTeX: (lines) => {
    const safe = (text) => text.replace(/[\\~^±<>−∞–★✕&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
    const written = lines.map((line) => `${line.map(safe).join(" & ")} \\\\`);
    const begin = `\\begin{tabular}{${"l".repeat(lines[0].length)}}`;
    const rule = "\\hline";
    return [begin, rule, written[0], rule, ...written.slice(1), rule, "\\end{tabular}"];
  },
};

function tableLines() {
  const text = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
  const shown = [...body.rows].filter((row) => !row.hidden && !view.hide.has(row.dataset.variant));
  return [heads.map(text), ...shown.map((row) => [row.dataset.variant, ...[...row.cells].slice(1).map(text)])];
}

for (const button of document.querySelectorAll("[data-take]")) {
  button.addEventListener("click", async () => {
    const text = document.createElement("pre");
    text.className = "taken";
    text.textContent = `${FORMATS[button.dataset.take](tableLines()).join("\n")}\n`;
    document.body.append(text);
    say(byId("taken"), await copy(text));
    text.remove();
  });
}
