// The filter: "loss=bce", "lr<0.01" are conditions; anything else is a word. A value with a space stands in quotes.
const filter = byId("filter");
const choices = [...document.querySelectorAll("[data-choice]")]; // of a setting's value, which write into the filter
const KEYS = new Set([...Object.keys(facts[variants[0].name].settings), "test_wrong", "verdict", "finding"]);

const piecesOf = (text) => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];

function parse(text) {
  return piecesOf(text).map((piece) => {
    const [, key, sign, value] = piece.match(/^([\w-]+)(!=|==|<=|>=|=|<|>)(.*)$/) ?? [];
    const known = KEYS.has(key);
    const plain = (known ? value : piece).replaceAll('"', "").toLowerCase();
    return known ? { key, sign, value: plain } : { word: plain, unknown: key };
  });
}

function holds({ key, sign, value, word }, variant) {
  if (word !== undefined) return variant.words.includes(word);
  if (value === "") return true; // still being typed
  const fact = facts[variant.name];
  const values = [fact.settings[key] ?? fact[key] ?? []].flat();
  const number = value.trim() === "" ? NaN : Number(value);
  const equal = (held) => String(held).toLowerCase() === value || Number(held) === number;
  if (sign === "!=") return !values.some(equal);
  if (sign.includes("=") && values.some(equal)) return true;
  if (sign.startsWith("<")) return values.some((held) => held < number);
  return sign.startsWith(">") && values.some((held) => held > number);
}

function writeChoice(choice) {
  const others = piecesOf(view.filter).filter((piece) => !piece.startsWith(`${choice.dataset.choice}=`));
  const value = /\s/.test(choice.value) ? `"${choice.value}"` : choice.value;
  view.filter = [...others, ...(value ? [`${choice.dataset.choice}=${value}`] : [])].join(" ");
}

// The box and the choices say what the view's filter says.
function showFilter(conditions) {
  if (filter.value !== view.filter) filter.value = view.filter;
  for (const choice of choices) {
    const chosen = conditions.find(({ key, sign }) => key === choice.dataset.choice && sign === "=");
    choice.value = [...choice.options].find(({ value }) => value.toLowerCase() === chosen?.value)?.value ?? "";
  }
}

function showCount(shown, conditions) {
  // A name may have "=" in it, so only where nothing is left was it meant as a key.
  const unknown = shown.length ? undefined : conditions.find((condition) => condition.unknown)?.unknown;
  const [some, all] = [shown, variants].map((list) => list.length.toLocaleString("en"));
  const counted = some === all ? "" : `${some} of ${all} shown`;
  byId("shown").textContent = unknown ? `${counted}; “${unknown}” is no key` : counted;
}
