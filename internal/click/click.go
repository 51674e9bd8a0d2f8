// Package click clicks on what is meant in a browser, or on nothing.
package click

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
)

// First is an expression for the first thing of a selector.
func First(selector string) string { return fmt.Sprintf("document.querySelector(%q)", selector) }

// On clicks on what an expression gives, as soon as it is there and enabled, keeps still and
// nothing lies over it, as long as the context allows. What moves away in the last moment is aimed
// at again.
func On(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for {
			spot, err := chromedp.Evaluate[[]float64](fmt.Sprintf(aim, expression))(ctx, tab)
			if err == nil && len(spot) == 2 {
				if _, err := chromedp.MouseClickXY(spot[0], spot[1])(ctx, tab); err != nil {
					return err
				}
				// Of a page that is gone by now nothing can be asked, and one without scripts knows nothing.
				if missed, err := chromedp.Evaluate[bool](struck)(ctx, tab); err != nil || !missed {
					return nil
				}
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(30 * time.Millisecond):
			}
		}
	})
}

// aim brings what an expression gives to the middle of the screen, and gives where that is once
// it stands there for the second time with nothing over it. From then on a click on anything else
// does nothing.
const aim = `(() => {
	const e = %s, was = window.aimed;
	was?.over.abort();
	if (!e || e.matches(":disabled")) return null;
	e.scrollIntoView({block: "center"});
	const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
	const now = window.aimed = {e, x, y, over: new AbortController(), missed: undefined};
	const hits = at => e.contains(at) || Boolean(at?.contains(e)) && at.closest("label, button, a") === e.closest("label, button, a");
	if (was?.e !== e || was.x !== x || was.y !== y || !hits(document.elementFromPoint(x, y))) return null;
	for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup", "click"])
		addEventListener(type, event => {
			now.missed ??= !hits(event.target);
			if (now.missed) { event.preventDefault(); event.stopImmediatePropagation(); }
		}, {capture: true, signal: now.over.signal});
	return [x, y];
})()`

// struck says whether a click hit something else.
const struck = `(() => { window.aimed?.over.abort(); return window.aimed?.missed === true })()`
