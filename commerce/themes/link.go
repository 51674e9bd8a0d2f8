package themes

import (
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/content"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Link leads to a thing of the shop, to one of its own pages, or to an address.
type Link struct {
	Type       string  `json:"type"`
	ResourceID *string `json:"resource_id"` // of a thing
	URL        *string `json:"url"`         // of an address
}

// The types of links, and the prefixes of the IDs of what they lead to.
var (
	things = map[string]string{"product": "prod", "category": "cat", "collection": "col", "page": "page", "post": "post"}
	places = []string{"home", "products", "search", "blog", "contact", "account", "newsletter"}
)

// check names what is wrong with a link; nil is none.
func (l *Link) check(wrong *problem.Problem, at string) {
	if l == nil {
		return
	}
	prefix, toThing := things[l.Type]
	switch {
	case toThing && (l.ResourceID == nil || !ids.Valid(prefix, *l.ResourceID)):
		wrong.At(at+"/resource_id", "required", "A link of this type leads to a thing, by its ID.")
	case !toThing && l.ResourceID != nil:
		wrong.At(at+"/resource_id", "excluded", "A link of this type leads to no thing.")
	case l.Type == "url" && (l.URL == nil || !followable(*l.URL)):
		wrong.At(at+"/url", "pattern", "An address begins with https://, http://, mailto:, tel: or a slash.")
	case l.Type != "url" && l.URL != nil:
		wrong.At(at+"/url", "excluded", "Only a link of the type url has an address.")
	case !toThing && l.Type != "url" && !slices.Contains(places, l.Type):
		wrong.At(at+"/type", "enum", "There is no link of this type.")
	}
}

// followable says whether a browser may be sent to an address: to a page, or to a program that
// writes or calls. "//example.com" would look like a path of the shop's own.
func followable(address string) bool {
	if strings.ContainsAny(address, " \t\r\n\\\"<>") || strings.HasPrefix(address, "//") {
		return false
	}
	for _, scheme := range []string{"https://", "http://", "mailto:", "tel:", "/"} {
		if strings.HasPrefix(strings.ToLower(address), scheme) {
			return true
		}
	}
	return false
}

// ref is a thing that is named somewhere.
type ref struct{ pointer, id string }

type refs []ref

func (r *refs) add(pointer, prefix string, id *string) {
	if id != nil && ids.Valid(prefix, *id) {
		*r = append(*r, ref{pointer, *id})
	} else if id != nil {
		*r = append(*r, ref{pointer, ""})
	}
}

func (r *refs) image(pointer string, id *string) { r.add(pointer, content.ImagePrefix, id) }

func (r *refs) link(pointer string, l *Link) {
	if l != nil && things[l.Type] != "" {
		r.add(pointer+"/resource_id", things[l.Type], l.ResourceID)
	}
}
