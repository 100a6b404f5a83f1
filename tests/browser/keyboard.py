"""Going about with keys alone: where Tab leads, and whether one sees where one is."""

# Each gets a name by which it is known again.
_NAMED = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((each) => each.type !== "hidden" && !each.disabled && each.checkVisibility())
    .map((each, index) => each.dataset.tab = `${index} ${each.outerHTML.slice(0, 90)}`)"""
_HERE = """async () => {
    await new Promise(requestAnimationFrame);  // until it is scrolled to
    const here = document.activeElement, style = getComputedStyle(here), place = here.getBoundingClientRect();
    const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const within = Math.min(place.left, place.top, innerWidth - place.right, innerHeight - place.bottom) > -1;
    return {name: here.dataset.tab ?? null, seen: ringed && within && place.width > 0};
}"""
MOST = 400  # presses of a key


def tabbed(page):
    """What one can act on, in the order of the page; what Tab leads to, in its order; what of it isn't seen then."""
    wanted = page.evaluate(_NAMED)
    order, unseen = [], []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if order and here["name"] == order[0]:  # it begins again
            break
        if here["name"] and here["name"] not in order[-1:]:  # the parts of a date are the browser's
            order.append(here["name"])
            unseen += [] if here["seen"] else [here["name"]]
    return wanted, order, unseen


def tab_to(page, wanted):
    """Press Tab until one is at this element (a locator)."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError("Tab doesn't lead there")


def press(page, wanted, key="Enter"):
    """Go to an element by Tab, and press a key on it."""
    tab_to(page, wanted)
    page.keyboard.press(key)


def type_into(page, wanted, text):
    """Go to a field by Tab, and type."""
    tab_to(page, wanted)
    page.keyboard.type(text)
