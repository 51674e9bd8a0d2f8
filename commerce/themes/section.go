package themes

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/problem"
)

// mostSections is how many a home page has: each may read something of the catalogue.
const mostSections = 20

// Section is a part of a home page. Of its properties, a section has those of its type.
type Section struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Hidden bool   `json:"hidden"`

	Eyebrow      *string    `json:"eyebrow"`
	Heading      *string    `json:"heading"`
	Text         *string    `json:"text"`
	Body         string     `json:"body_html"`
	Button       *Button    `json:"button"`
	SecondButton *Button    `json:"second_button"`
	ImageID      *string    `json:"image_id"`
	Layout       string     `json:"layout"`
	ProductID    *string    `json:"product_id"`
	CollectionID *string    `json:"collection_id"` // the latest with something in it when nil
	CategoryIDs  []string   `json:"category_ids"`  // those at the top when empty
	Order        string     `json:"order"`
	Limit        int        `json:"limit"`
	Pictures     []Picture  `json:"pictures"`
	Questions    []Question `json:"questions"`
}

// Picture is one of a gallery's.
type Picture struct {
	ImageID string  `json:"image_id"`
	Caption *string `json:"caption"`
	Link    *Link   `json:"link"`
}

// Question is one that is asked often, and its answer.
type Question struct {
	Question string `json:"question"`
	Answer   string `json:"answer_html"`
}

// properties are those of each type of section, beside those that all have.
var properties = map[string][]string{
	"hero":                {"eyebrow", "heading", "text", "button", "second_button", "image_id", "layout"},
	"featured_collection": {"heading", "text", "collection_id", "limit"},
	"featured_product":    {"eyebrow", "heading", "text", "product_id", "layout"},
	"product_grid":        {"heading", "text", "order", "limit"},
	"category_list":       {"heading", "category_ids"},
	"text_with_image":     {"eyebrow", "heading", "body_html", "button", "image_id", "layout"},
	"rich_text":           {"heading", "body_html", "button"},
	"gallery":             {"heading", "pictures", "layout"},
	"newsletter":          {"heading", "text"},
	"faq":                 {"heading", "questions"},
	"blog_posts":          {"heading", "limit"},
	"testimonials":        {"heading", "limit"},
}

// layouts are those that the types of sections come in, the usual one first.
var layouts = map[string][]string{
	"hero": {"split", "cover"}, "featured_product": {"image_start", "image_end"}, "text_with_image": {"image_start", "image_end"}, "gallery": {"grid", "logos"},
}

// limits are how many things the types of sections show, if nothing else is said, and at most.
var limits = map[string][2]int{"featured_collection": {4, 12}, "product_grid": {8, 24}, "blog_posts": {3, 12}, "testimonials": {3, 6}}

// orders are those that products are shown in.
var orders = []string{"newest", "title", "price_ascending", "price_descending"}

// MarshalJSON writes the properties of the section's type.
func (s Section) MarshalJSON() ([]byte, error) {
	type plain Section
	if s.CategoryIDs == nil {
		s.CategoryIDs = []string{}
	}
	if s.Pictures == nil {
		s.Pictures = []Picture{}
	}
	if s.Questions == nil {
		s.Questions = []Question{}
	}
	raw, err := json.Marshal(plain(s))
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for name := range all {
		if !slices.Contains([]string{"id", "type", "hidden"}, name) && !slices.Contains(properties[s.Type], name) {
			delete(all, name)
		}
	}
	return json.Marshal(all)
}

var sectionID = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)

const (
	maxHeading = 200
	maxText    = 1000
	maxBody    = 20_000
	maxAnswer  = 5000
	mostItems  = 24
)

// check names what is wrong with a section, tidies it, and gives it what it lacks.
func (s *Section) check(wrong *problem.Problem, at string) {
	if properties[s.Type] == nil {
		wrong.At(at+"/type", "enum", "There is no section of this type.")
		return
	}
	if len(s.ID) > 40 || !sectionID.MatchString(s.ID) {
		wrong.At(at+"/id", "pattern", "It is made of at most 40 lower-case letters and digits, with single hyphens or underscores in between.")
	}
	for _, text := range []struct {
		name string
		is   **string
		most int
	}{{"eyebrow", &s.Eyebrow, maxHeading}, {"heading", &s.Heading, maxHeading}, {"text", &s.Text, maxText}} {
		own(wrong, text.is, at+"/"+text.name, text.most)
	}
	content.Clean(wrong, &s.Body, at+"/body_html", maxBody)
	s.checkChoices(wrong, at)
	for name, b := range map[string]*Button{"/button": s.Button, "/second_button": s.SecondButton} {
		if b != nil {
			own(wrong, &b.Label, at+name+"/label", 60)
			b.Link.check(wrong, at+name+"/link")
		}
	}
	if len(s.CategoryIDs) > mostItems || len(s.Pictures) > mostItems || len(s.Questions) > mostItems {
		wrong.At(at, "maxItems", "A section has at most %d of each.", mostItems)
	}
	for i := range s.Pictures {
		p, at := &s.Pictures[i], fmt.Sprintf("%s/pictures/%d", at, i)
		own(wrong, &p.Caption, at+"/caption", maxHeading)
		p.Link.check(wrong, at+"/link")
	}
	for i := range s.Questions {
		q, at := &s.Questions[i], fmt.Sprintf("%s/questions/%d", at, i)
		content.Line(wrong, &q.Question, at+"/question", 1, maxHeading)
		content.Clean(wrong, &q.Answer, at+"/answer_html", maxAnswer)
	}
	if s.Type == "featured_product" && s.ProductID == nil {
		wrong.At(at+"/product_id", "required", "Which product?")
	}
}

func (s *Section) checkChoices(wrong *problem.Problem, at string) {
	if list := layouts[s.Type]; list != nil {
		if s.Layout == "" {
			s.Layout = list[0]
		}
		if !slices.Contains(list, s.Layout) {
			wrong.At(at+"/layout", "enum", "There is no such layout of this section.")
		}
	}
	if bounds, counted := limits[s.Type]; counted {
		if s.Limit == 0 {
			s.Limit = bounds[0]
		}
		if s.Limit < 1 || s.Limit > bounds[1] {
			wrong.At(at+"/limit", "out_of_range", "It shows 1 to %d.", bounds[1])
		}
	}
	if s.Type == "product_grid" {
		if s.Order == "" {
			s.Order = "newest"
		}
		if !slices.Contains(orders, s.Order) {
			wrong.At(at+"/order", "enum", "Products are in no such order.")
		}
	}
}

// own trims a text that may be missing; an empty one is.
func own(wrong *problem.Problem, text **string, at string, most int) {
	if *text == nil {
		return
	}
	trimmed := **text
	if content.Line(wrong, &trimmed, at, 0, most); trimmed == "" {
		*text = nil
		return
	}
	*text = &trimmed
}

// refs adds the things that a section names.
func (s *Section) refs(r *refs, at string) {
	r.image(at+"/image_id", s.ImageID)
	r.add(at+"/product_id", "prod", s.ProductID)
	r.add(at+"/collection_id", "col", s.CollectionID)
	for i := range s.CategoryIDs {
		r.add(fmt.Sprintf("%s/category_ids/%d", at, i), "cat", &s.CategoryIDs[i])
	}
	for name, b := range map[string]*Button{"/button": s.Button, "/second_button": s.SecondButton} {
		if b != nil {
			r.link(at+name+"/link", &b.Link)
		}
	}
	for i, p := range s.Pictures {
		at := fmt.Sprintf("%s/pictures/%d", at, i)
		r.image(at+"/image_id", &p.ImageID)
		r.link(at+"/link", p.Link)
	}
}
