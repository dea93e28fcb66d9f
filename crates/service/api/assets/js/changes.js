// The list of what changed, the latest on top; it forgets the oldest.

const KEPT = 8;

export function listChanges(list) {
  return (sentence) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString("en-GB");
    item.append(time, ` ${sentence}`);
    list.prepend(item);
    while (list.children.length > KEPT) list.lastElementChild.remove();
  };
}
