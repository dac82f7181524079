// A page that was opened as a file may not start a worker: its script runs in a hidden frame instead.
window.Worker = class extends EventTarget {
  constructor(url) {
    super()
    this.frame = document.createElement("iframe")
    this.frame.hidden = true
    document.body.append(this.frame)
    const inside = this.frame.contentWindow
    inside.document.open()
    inside.document.write("<script>postMessage = data => frameElement.dispatchEvent(new MessageEvent('message', {data}))<\/script>")
    inside.document.write(`<script src="${new URL(url, document.baseURI)}"><\/script>`)
    inside.document.close()
    this.frame.addEventListener("message", event => {
      const copy = new MessageEvent("message", {data: event.data})
      this.dispatchEvent(copy)
      this.onmessage?.(copy)
    })
    this.loaded = new Promise(resolve => inside.addEventListener("load", resolve))
  }
  postMessage(data) {
    this.loaded.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", {data})))
  }
  terminate() {
    this.frame.remove()
  }
}
