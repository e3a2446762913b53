// Draws a figure interactively when asked to; everything needed is in this file.
(function () {
  "use strict";
  var ready = false;
  function load() {
    if (ready) { return; }
    var script = document.createElement("script");
    script.textContent = document.getElementById("vega-bundle").textContent;
    document.head.appendChild(script);
    ready = true;
  }
  // Pictures take their ink from the page; a picture on its own gets the colours of a white page.
  var paper = { "--grid": "#dfe3e8", "--soft-ink": "#4b5563", "--comparator": "#5f6b7a", "--first-arm": "#0072b2" };
  document.querySelectorAll("button[data-picture]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var svg = document.getElementById(button.dataset.picture).querySelector(".picture svg");
      var text = new XMLSerializer().serializeToString(svg).replace(/currentColor/g, "#1f2a37");
      Object.keys(paper).forEach(function (name) { text = text.split("var(" + name + ")").join(paper[name]); });
      var link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      link.download = button.dataset.picture + ".svg";
      document.body.appendChild(link);
      link.click();
      link.remove();
    });
  });
  document.querySelectorAll("button[data-figure]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var figure = document.getElementById(button.dataset.figure);
      var stage = figure.querySelector(".interactive");
      var picture = figure.querySelector(".picture");
      if (button.getAttribute("aria-pressed") === "true") {
        stage.hidden = true;
        picture.hidden = false;
        button.setAttribute("aria-pressed", "false");
        button.textContent = "Explore with the pointer";
        return;
      }
      load();
      var spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      stage.hidden = false;
      picture.hidden = true;
      window.vegaEmbed(stage, spec, { renderer: "svg", actions: false, tooltip: true });
      button.setAttribute("aria-pressed", "true");
      button.textContent = "Back to the still picture";
    });
  });
})();
