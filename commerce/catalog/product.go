package catalog

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/clock"
)

// Status says whether a product is sold.
type Status string

// The states of a product. Only active ones show in the shop.
const (
	Draft    Status = "draft"
	Active   Status = "active"
	Archived Status = "archived"
)

// Option is something that a shopper chooses, and the choices.
type Option struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Bounds of a product.
const (
	maxOptions  = 3
	maxVariants = 2048
	maxImages   = 250
	maxTags     = 250
	maxChoices  = 250
)

// ProductInput is a product to be made.
type ProductInput struct {
	Title          string
	Handle         string // made from the title when empty
	Description    string // HTML; cleaned
	Vendor         string
	Type           string
	Tags           []string
	Status         Status // Draft when empty
	CategoryID     CategoryID
	SEOTitle       string
	SEODescription string
	PublishAt      time.Time // an active product is shown from then on; at once when zero
	UnpublishAt    time.Time // and until then; for good when zero
	Options        []Option
	CustomFields   fields.Values
	Variants       []VariantInput // one of the first choices, without prices, when empty
	Matrix         *Matrix        // instead of Variants: one for each combination of choices
}

// ProductPatch changes a product; what is nil stays. An empty text removes what may be
// missing.
type ProductPatch struct {
	Title, Handle, Description, Vendor, Type *string
	Tags                                     []string
	Status                                   *Status
	CategoryID                               *CategoryID
	SEOTitle, SEODescription                 *string
	PublishAt, UnpublishAt                   *sql.Null[time.Time]
	Options                                  []Option
	CustomFields                             fields.Values // merged
}

// product is a row of products, and what the audit keeps of one.
type product struct {
	bun.BaseModel `bun:"table:products,alias:p" json:"-"`

	ID             ProductID     `bun:"id,pk" json:"id"`
	Handle         string        `bun:"handle" json:"handle"`
	Title          string        `bun:"title" json:"title"`
	Description    string        `bun:"description" json:"description_html"`
	Vendor         string        `bun:"vendor" json:"vendor"`
	Type           string        `bun:"product_type" json:"product_type"`
	Status         Status        `bun:"status" json:"status"`
	Tags           []string      `bun:"tags,array" json:"tags"`
	Options        []Option      `bun:"options,type:jsonb" json:"options"`
	CategoryID     CategoryID    `bun:"category_id,nullzero" json:"category_id,omitempty"`
	SEOTitle       string        `bun:"seo_title" json:"seo_title"`
	SEODescription string        `bun:"seo_description" json:"seo_description"`
	CustomFields   fields.Values `bun:"custom_fields,type:jsonb" json:"custom_fields,omitempty"`
	PublishAt      time.Time     `bun:"publish_at,nullzero" json:"publish_at,omitzero"`
	UnpublishAt    time.Time     `bun:"unpublish_at,nullzero" json:"unpublish_at,omitzero"`
	PublishedAt    time.Time     `bun:"published_at,nullzero" json:"published_at,omitzero"`
	Version        int           `bun:"version" json:"version"`
	CreatedAt      time.Time     `bun:"created_at" json:"-"`
	UpdatedAt      time.Time     `bun:"updated_at" json:"-"`
}

// check tidies the product's texts and says what is wrong with it.
func (p *product) check() checker {
	c := check("invalid_product", "The product cannot be kept as it is.")
	c.line(&p.Title, "/title", 1, maxName)
	c.html(&p.Description, "/description_html")
	c.line(&p.Vendor, "/vendor", 0, maxName)
	c.line(&p.Type, "/product_type", 0, maxName)
	c.line(&p.SEOTitle, "/seo_title", 0, maxName)
	c.line(&p.SEODescription, "/seo_description", 0, maxSEO)
	p.Tags = tidyTags(p.Tags)
	for i := range p.Tags {
		c.line(&p.Tags[i], fmt.Sprintf("/tags/%d", i), 1, maxName)
	}
	if len(p.Tags) > maxTags {
		c.wrong.At("/tags", "maxItems", "There are %d, and may be %d.", len(p.Tags), maxTags)
	}
	if !p.PublishAt.IsZero() && !p.UnpublishAt.IsZero() && !p.UnpublishAt.After(p.PublishAt) {
		c.wrong.At("/unpublish_at", "order", "It is taken down before it is shown.")
	}
	p.Options = slices.Clone(p.Options)
	c.options(p.Options)
	if p.Options == nil {
		p.Options = []Option{}
	}
	return c
}

// tidyTags trims labels and leaves out the empty and the repeated.
func tidyTags(tags []string) []string {
	out := make([]string, 0, len(tags))
	for _, tag := range tags {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// options checks that names differ, and choices within an option.
func (c checker) options(options []Option) {
	if len(options) > maxOptions {
		c.wrong.At("/options", "maxItems", "There are %d, and may be %d.", len(options), maxOptions)
	}
	names := map[string]bool{}
	for i := range options {
		option, at := &options[i], fmt.Sprintf("/options/%d", i)
		c.line(&option.Name, at+"/name", 1, maxName)
		if key := strings.ToLower(option.Name); names[key] {
			c.wrong.At(at+"/name", "repeated", "Another option has this name.")
		} else {
			names[key] = true
		}
		if len(option.Values) == 0 || len(option.Values) > maxChoices {
			c.wrong.At(at+"/values", "items", "There must be 1 to %d choices.", maxChoices)
		}
		option.Values = slices.Clone(option.Values)
		choices := map[string]bool{}
		for j := range option.Values {
			value, at := &option.Values[j], fmt.Sprintf("%s/values/%d", at, j)
			c.line(value, at, 1, maxName)
			if choices[*value] {
				c.wrong.At(at, "repeated", "Another choice is the same.")
			}
			choices[*value] = true
		}
	}
}

// fits checks that a variant's choices are the options', one each.
func (c checker) fits(options []Option, choices []string, pointer string) bool {
	if len(choices) != len(options) {
		c.wrong.At(pointer, "option_values", "There must be one choice for each of the %d options.", len(options))
		return false
	}
	ok := true
	for i, choice := range choices {
		if !slices.Contains(options[i].Values, choice) {
			c.wrong.At(fmt.Sprintf("%s/%d", pointer, i), "option_values", "%q is not among the choices of %s.", choice, options[i].Name)
			ok = false
		}
	}
	return ok
}

// tidy has a row that was read be equal to one that is given the same.
func (p *product) tidy() {
	p.Tags = tidyTags(p.Tags)
	p.PublishAt, p.UnpublishAt = p.PublishAt.UTC(), p.UnpublishAt.UTC()
}

// instant sets a time as exactly as it is kept.
func instant(at *time.Time, given time.Time) { *at = given.UTC().Truncate(time.Microsecond) }

// publish notes when the product was or will be first to be shown.
func (p *product) publish() {
	now := clock.Now()
	if p.Status != Active || !p.PublishedAt.IsZero() && !p.PublishedAt.After(now) {
		return
	}
	p.PublishedAt = now
	if p.PublishAt.After(now) {
		p.PublishedAt = p.PublishAt
	}
}

// summary is the data of a product's events, in the contract's shape.
type summary struct {
	ID     ProductID `json:"id"`
	Handle string    `json:"handle"`
	Title  string    `json:"title"`
	Status Status    `json:"status"`
}

func (p *product) summary() summary { return summary{p.ID, p.Handle, p.Title, p.Status} }

// gone is the data of an event that tells of a deletion.
type gone struct {
	ID string `json:"id"`
}
