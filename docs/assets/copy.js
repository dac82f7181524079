// The copy button takes what is typed, neither the prompt nor what is printed below it.
for (const code of document.querySelectorAll(".language-console code")) {
  code.dataset.copy = code.textContent.split("\n").filter(line => line.startsWith("$ ")).map(line => line.slice(2)).join("\n")
}
