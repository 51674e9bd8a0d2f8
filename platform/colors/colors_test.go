package colors_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/colors"
)

func TestColors(t *testing.T) {
	for text, want := range map[string]bool{"#1f5f5b": true, "#FFFFFF": true, "#fff": false, "1f5f5b0": false, "#1f5f5g": false, "#+1f5f5": false, "": false} {
		if _, ok := colors.Parse(text); ok != want {
			t.Errorf("%q: %t", text, ok)
		}
	}
	if got := colors.White.Contrast(colors.Black); got < 20.99 || got > 21.01 {
		t.Errorf("white on black: %v", got)
	}
	if got := colors.Hex("#777777").Contrast(colors.White); got < 4.47 || got > 4.48 { // WCAG's own example
		t.Errorf("grey on white: %v", got)
	}
	color := rapid.Custom(func(t *rapid.T) colors.Color {
		return colors.White.Mix(colors.Hex("#"+rapid.StringMatching(`[0-9a-f]{6}`).Draw(t, "hex")), 1)
	})
	rapid.Check(t, func(t *rapid.T) {
		c, background := color.Draw(t, "color"), color.Draw(t, "background")
		read, _ := colors.Parse(c.Readable(background).String())
		if got := read.Contrast(background); got < colors.Text {
			t.Fatalf("%s on %s has %v", read, background, got)
		}
		if on := c.On(); on.Contrast(c) < colors.Text {
			t.Fatalf("%s on %s has %v", on, c, on.Contrast(c))
		}
	})
}
