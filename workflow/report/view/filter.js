// The filter: "loss=bce", "lr<0.01" are conditions; anything else is a word. A value with a space stands in quotes.
const filter = byId("filter");
const choices = [...document.querySelectorAll("[data-choice]")]; // of a setting's value, which write into the filter
const COUNTED = new Set(["test_wrong", "train_wrong"]); // means, of which any may be asked for
const FEW = 6; // values that are listed
const KEYS = new Set([...Object.keys(facts[variants[0].name].settings), ...COUNTED, "verdict", "finding"]);

const piecesOf = (text) => text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];

function parse(text) {
  return piecesOf(text).map((piece) => {
    const [, key, sign, value] = piece.match(/^([\w-]+)(!=|==|<=|>=|=|<|>)(.*)$/) ?? [];
    const known = KEYS.has(key);
    const plain = (known ? value : piece).replaceAll('"', "").toLowerCase();
    return known ? { key, sign, value: plain } : { word: plain, unknown: key };
  });
}

const heldBy = (fact, key) => [fact.settings[key] ?? fact[key] ?? []].flat();
const isCalled = (held, value) => String(held).toLowerCase() === value;

function holds({ key, sign, value, word }, variant) {
  if (word !== undefined) return variant.words.includes(word);
  if (value === "") return true; // still being typed
  const fact = facts[variant.name];
  const values = heldBy(fact, key);
  const number = value.trim() === "" ? NaN : Number(value);
  const equal = (held) => isCalled(held, value) || Number(held) === number;
  if (sign === "!=") return !values.some(equal);
  if (sign.includes("=") && values.some(equal)) return true;
  if (sign.startsWith("<")) return values.some((held) => held < number);
  return sign.startsWith(">") && values.some((held) => held > number);
}

const quoted = (value) => (/\s/.test(value) ? `"${value}"` : value);

// Of the filter's conditions of equality the one of this key; none where there is no value.
function require(key, value) {
  const others = piecesOf(view.filter).filter((piece) => !piece.startsWith(`${key}=`));
  view.filter = [...others, ...(value ? [`${key}=${quoted(value)}`] : [])].join(" ");
}

// A tile is a button that sets its condition, and takes it back.
const tiles = [...document.querySelectorAll("[data-filter]")].map((tile) => {
  const condition = tile.dataset.filter;
  if (tile.matches("button")) return { button: tile, condition };
  const button = document.createElement("button");
  button.type = "button";
  button.append(...tile.childNodes);
  tile.append(button);
  return { button, condition };
});

// The box and the choices say what the view's filter says.
function showFilter(conditions) {
  if (filter.value !== view.filter) filter.value = view.filter;
  for (const { button, condition } of tiles) {
    button.setAttribute("aria-pressed", piecesOf(view.filter).includes(condition));
  }
  for (const choice of choices) {
    const chosen = conditions.find(({ key, sign }) => key === choice.dataset.choice && sign === "=");
    choice.value = [...choice.options].find(({ value }) => value.toLowerCase() === chosen?.value)?.value ?? "";
  }
}

// How many letters must be changed to make the one of the other.
function distance(one, other) {
  let before = [...other, ""].map((_, place) => place);
  [...one].forEach((letter, row) => {
    const line = [row + 1];
    [...other].forEach((its, place) => {
      line.push(Math.min(line[place] + 1, before[place + 1] + 1, before[place] + (letter !== its)));
    });
    before = line;
  });
  return before.at(-1);
}

// Of what there is, that which was meant; all, if these are few.
function meant(typed, names) {
  const lower = (name) => String(name).toLowerCase();
  const begun = names.filter((name) => lower(name).startsWith(typed));
  if (begun.length) return begun.slice(0, FEW);
  const far = (name) => distance(typed, lower(name));
  const [nearest] = isNaN(typed) ? [...names].sort((a, b) => far(a) - far(b)) : [];
  const most = Math.min(typed.length - 1, Math.max(2, typed.length / 4));
  if (nearest !== undefined && far(nearest) <= most) return [nearest];
  return names.length <= FEW ? names : [];
}

// What is wrong with a condition, and what may be meant: a value that no variant has, a key that there is not.
function complaint({ key, sign, value, unknown }, isEmpty) {
  // A name may have "=" in it, so only where nothing is left was it meant as a key.
  if (unknown) return isEmpty ? { says: `“${unknown}” is no key`, better: meant(unknown, [...KEYS]), unknown } : null;
  if (!key || !value || !/^[!=]?=$/.test(sign) || COUNTED.has(key)) return null;
  const held = [...new Set(variants.flatMap(({ name }) => heldBy(facts[name], key)))];
  if (held.some((one) => isCalled(one, value) || Number(one) === Number(value))) return null;
  const says = `no ${key} ${isNaN(value) ? "is called" : "is"} ${value}`;
  return { says, better: meant(value, held), key, value };
}

function showCount(shown, conditions) {
  const [some, all] = [shown, variants].map((list) => list.length.toLocaleString("en"));
  const status = byId("shown");
  const found = conditions.map((condition) => complaint(condition, !shown.length)).find(Boolean);
  status.textContent = some === all ? `all ${all} shown` : `${some} of ${all} shown`;
  if (!found) return;
  status.append(`; ${found.says}${found.better.length ? "; " : ""}`);
  found.better.forEach((name, place) => {
    if (place) status.append(", ");
    const isLast = place === found.better.length - 1;
    const button = made("button", `${name}${isLast ? "?" : ""}`, status);
    button.type = "button";
    button.addEventListener("click", () => {
      view.filter = mended(found, String(name));
      change();
      filter.focus();
    });
  });
}

// The filter with the better key or value in place of what was typed.
function mended({ key, value, unknown }, name) {
  const pieces = piecesOf(view.filter).map((piece) => {
    if (unknown) return piece.startsWith(unknown) ? name + piece.slice(unknown.length) : piece;
    const [, start, typed] = piece.match(/^([\w-]+(?:!=|==|=))(.*)$/) ?? [];
    const isIt = start?.startsWith(key) && typed.replaceAll('"', "").toLowerCase() === value;
    return isIt ? start + quoted(name) : piece;
  });
  return pieces.join(" ");
}
