package themes

import "github.com/stoacommerce/stoa/platform/colors"

// Name names a theme.
type Name string

// The themes.
const (
	Boutique  Name = "boutique"  // calm, with room around things
	Catalogue Name = "catalogue" // dense: many things at once, and found quickly
	Brand     Name = "brand"     // bold: one thing, or few, and large
)

// Font names a type, which is set from the fonts that the shopper's device has. So none is
// loaded, and nothing moves when it comes.
type Font string

// Fonts are those that there are.
var Fonts = []Font{"system", "grotesque", "humanist", "geometric", "rounded", "industrial", "old_style", "transitional", "didone", "slab", "mono"}

// Corners says how corners are.
type Corners string

var everyCorners = []Corners{"sharp", "soft", "round"}

// basics are the colours that a theme brings.
type basics struct{ background, surface, text colors.Color }

// preset is what a theme is like where a merchant has set nothing.
type preset struct {
	light, dark   basics
	heading, body Font
	corners       Corners
}

func of(background, surface, text string) basics {
	return basics{colors.Hex(background), colors.Hex(surface), colors.Hex(text)}
}

var presets = map[Name]preset{
	Boutique: {
		light: of("#fcfbf8", "#f4f1eb", "#1d1b17"), dark: of("#171512", "#211e1a", "#f0ece4"),
		heading: "old_style", body: "system", corners: "soft",
	},
	Catalogue: {
		light: of("#ffffff", "#f2f4f7", "#151a21"), dark: of("#12151a", "#1b2027", "#eef1f5"),
		heading: "system", body: "system", corners: "soft",
	},
	Brand: {
		light: of("#ffffff", "#f5f4f2", "#0c0c0c"), dark: of("#0b0b0c", "#17171a", "#f6f5f3"),
		heading: "grotesque", body: "grotesque", corners: "round",
	},
}

// Theme is a theme as the API shows it.
type Theme struct {
	Name        Name    `json:"name"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Colors      Palette `json:"colors"`
	DarkColors  Palette `json:"dark_colors"`
	HeadingFont Font    `json:"heading_font"`
	BodyFont    Font    `json:"body_font"`
	Corners     Corners `json:"corners"`
}

// Themes are those that there are, each in the colours that it has with an accent.
func Themes(accent string) []Theme {
	list := []Theme{
		{Name: Boutique, Title: "Boutique", Description: "Calm, with room around each thing and letters like a book’s. For few things that are chosen with care."},
		{Name: Catalogue, Title: "Catalogue", Description: "Dense and quick: search in the head, small cards, much at a glance. For a large assortment."},
		{Name: Brand, Title: "Brand", Description: "Bold: pictures from edge to edge and large letters. For one product, or a small family of them."},
	}
	for i := range list {
		p := presets[list[i].Name]
		list[i].Colors, list[i].DarkColors = (Palette{}).over(p.light, accent).palette(), (Palette{}).over(p.dark, accent).palette()
		list[i].HeadingFont, list[i].BodyFont, list[i].Corners = p.heading, p.body, p.corners
	}
	return list
}

// palette are the colours of a scheme as they are written.
func (s Scheme) palette() Palette {
	text := func(c colors.Color) *string { t := c.String(); return &t }
	return Palette{text(s.Background), text(s.Surface), text(s.Text), text(s.Accent), text(s.Button), text(s.ButtonText)}
}
