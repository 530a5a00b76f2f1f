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

// Of the table the rows that are shown, in their order; numbers as pandas reads them, empty where there is none.
const CELLS = {
  variant: (cell, fact, name) => ({ variant: name }),
  verdict: (cell, { verdict, alarms }) => ({ verdict, alarms: alarms.join(";") }),
  test_wrong: ({ dataset }) => {
    return { test_wrong: dataset.value, test_wrong_low: dataset.low, test_wrong_high: dataset.high };
  },
};

function tableAsText() {
  const key = (head) => head.dataset.key.replace(/^set-/, "");
  const columns = heads.map((head, place) => [key(head), place]);
  const rows = [...body.rows].filter((row) => !row.hidden && !view.hide.has(row.dataset.variant));
  const lines = rows.map(({ cells, dataset: { variant } }) => {
    const of = (key) => CELLS[key] ?? (({ dataset }) => ({ [key]: dataset.value }));
    return Object.assign({}, ...columns.map(([key, place]) => of(key)(cells[place], facts[variant], variant)));
  });
  const inQuotes = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const titles = Object.keys(lines[0] ?? Object.fromEntries(columns.map(([key]) => [key, ""])));
  return [titles, ...lines.map(Object.values)].map((line) => `${line.map(inQuotes).join(",")}\n`).join("");
}

byId("take")?.addEventListener("click", async () => {
  const text = document.createElement("pre");
  text.className = "taken";
  text.textContent = tableAsText();
  document.body.append(text);
  say(byId("taken"), await copy(text));
  text.remove();
});
