package themes

import (
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/colors"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Design is how a shop looks, as a merchant has set it. What is nil is as the theme has it. Its
// JSON is that of the contract, and of what is kept.
type Design struct {
	Theme        Name          `json:"theme"`
	Colors       Palette       `json:"colors"`
	DarkMode     bool          `json:"dark_mode"` // whether devices that are set to dark show the shop so
	DarkColors   Palette       `json:"dark_colors"`
	HeadingFont  *Font         `json:"heading_font"`
	BodyFont     *Font         `json:"body_font"`
	Corners      *Corners      `json:"corners"`
	Logo         *string       `json:"logo_image_id"`
	Favicon      *string       `json:"favicon_image_id"`
	Announcement *Announcement `json:"announcement"`
	Home         []Section     `json:"home"`
}

// Announcement is a line above every page.
type Announcement struct {
	Text string `json:"text"`
	Link *Link  `json:"link"`
}

// Button is a link that stands out.
type Button struct {
	Label *string `json:"label"` // what it leads to is called when nil
	Link  Link    `json:"link"`
}

// Standard is the design of a shop whose merchant has set nothing.
func Standard() Design {
	everything := &Button{Link: Link{Type: "products"}}
	return Design{Theme: Boutique, DarkMode: true, Home: []Section{
		{ID: "hero", Type: "hero", Layout: "split", Button: everything},
		{ID: "categories", Type: "category_list"},
		{ID: "new", Type: "product_grid", Order: "newest", Limit: 8},
		{ID: "collection", Type: "featured_collection", Limit: 4},
	}}
}

// check names what is wrong with a design, and tidies its texts.
func (d *Design) check(accent string) *problem.Problem {
	wrong := problem.New(problem.Unprocessable, "invalid_theme", "The theme cannot be kept as it is.")
	if _, known := presets[d.Theme]; !known {
		wrong.At("/theme", "enum", "There is no theme of this name.")
		return wrong
	}
	for at, font := range map[string]*Font{"/heading_font": d.HeadingFont, "/body_font": d.BodyFont} {
		if font != nil && !slices.Contains(Fonts, *font) {
			wrong.At(at, "enum", "There is no type of this name.")
		}
	}
	if d.Corners != nil && !slices.Contains(everyCorners, *d.Corners) {
		wrong.At("/corners", "enum", "Corners are sharp, soft or round.")
	}
	d.Colors.check(wrong, "/colors", presets[d.Theme].light, accent)
	if d.DarkMode {
		d.DarkColors.check(wrong, "/dark_colors", presets[d.Theme].dark, accent)
	}
	if d.Announcement != nil {
		content.Line(wrong, &d.Announcement.Text, "/announcement/text", 1, 200)
		d.Announcement.Link.check(wrong, "/announcement/link")
	}
	if len(d.Home) > mostSections {
		wrong.At("/home", "maxItems", "A home page has at most %d sections.", mostSections)
	}
	seen := map[string]bool{}
	for i := range d.Home {
		at := fmt.Sprintf("/home/%d", i)
		if s := &d.Home[i]; seen[s.ID] {
			wrong.At(at+"/id", "repeated", "Another section has this ID.")
		} else {
			seen[s.ID] = true
			s.check(wrong, at)
		}
	}
	return wrong
}

// refs are the things that a design names, by where.
func (d *Design) refs() refs {
	var r refs
	r.image("/logo_image_id", d.Logo)
	r.image("/favicon_image_id", d.Favicon)
	if d.Announcement != nil {
		r.link("/announcement/link", d.Announcement.Link)
	}
	for i := range d.Home {
		d.Home[i].refs(&r, fmt.Sprintf("/home/%d", i))
	}
	return r
}

// Scheme are the colours of a shop, all of which can be read on each other.
type Scheme struct {
	Background, Surface, Text, Accent, Button, ButtonText colors.Color
}

// Look is what comes of a design: nothing in it is left to the theme.
type Look struct {
	Theme       Name
	Light       Scheme
	Dark        *Scheme // nil for none
	HeadingFont Font
	BodyFont    Font
	Corners     Corners
}

// Look is what comes of a design, for a shop whose accent is a colour.
func (d *Design) Look(accent string) Look {
	p := presets[d.Theme]
	look := Look{Theme: d.Theme, Light: d.Colors.over(p.light, accent), HeadingFont: p.heading, BodyFont: p.body, Corners: p.corners}
	if d.DarkMode {
		dark := d.DarkColors.over(p.dark, accent)
		look.Dark = &dark
	}
	if d.HeadingFont != nil {
		look.HeadingFont = *d.HeadingFont
	}
	if d.BodyFont != nil {
		look.BodyFont = *d.BodyFont
	}
	if d.Corners != nil {
		look.Corners = *d.Corners
	}
	return look
}
