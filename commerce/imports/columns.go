package imports

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/problem"
)

// column is what a column of the file says.
type column int

const (
	colHandle column = iota
	colTitle
	colBody
	colVendor
	colCategory
	colType
	colTags
	colPublished
	colStatus
	colOption1Name
	colOption2Name
	colOption3Name
	colOption1Value
	colOption2Value
	colOption3Value
	colSKU
	colBarcode
	colGrams
	colWeight
	colWeightUnit
	colTracker
	colQuantity
	colPolicy
	colPrice
	colCompareAt
	colCost
	colNetContent
	colNetContentUnit
	colShipping
	colTaxable
	colImage
	colImagePosition
	colImageAlt
	colVariantImage
	colGiftCard
	colSEOTitle
	colSEODescription
	columns int = iota
)

// columnNames are the names that a column goes by, without regard to case: that of
// Shopify's exports first, then that of its newer template.
var columnNames = [columns][]string{
	colHandle:         {"Handle", "URL handle"},
	colTitle:          {"Title"},
	colBody:           {"Body (HTML)", "Description"},
	colVendor:         {"Vendor"},
	colCategory:       {"Product Category"},
	colType:           {"Type"},
	colTags:           {"Tags"},
	colPublished:      {"Published", "Published on online store"},
	colStatus:         {"Status"},
	colOption1Name:    {"Option1 Name"},
	colOption2Name:    {"Option2 Name"},
	colOption3Name:    {"Option3 Name"},
	colOption1Value:   {"Option1 Value"},
	colOption2Value:   {"Option2 Value"},
	colOption3Value:   {"Option3 Value"},
	colSKU:            {"Variant SKU", "SKU"},
	colBarcode:        {"Variant Barcode", "Barcode"},
	colGrams:          {"Variant Grams", "Weight value (grams)"},
	colWeight:         {"Variant Weight"},
	colWeightUnit:     {"Variant Weight Unit", "Weight unit for display"},
	colTracker:        {"Variant Inventory Tracker", "Inventory tracker"},
	colQuantity:       {"Variant Inventory Qty", "Inventory quantity"},
	colPolicy:         {"Variant Inventory Policy", "Continue selling when out of stock"},
	colPrice:          {"Variant Price", "Price"},
	colCompareAt:      {"Variant Compare At Price", "Compare-at price"},
	colCost:           {"Cost per item"},
	colNetContent:     {"Unit Price Total Measure"},
	colNetContentUnit: {"Unit Price Total Measure Unit"},
	colShipping:       {"Variant Requires Shipping", "Requires shipping"},
	colTaxable:        {"Variant Taxable", "Charge tax"},
	colImage:          {"Image Src", "Product image URL"},
	colImagePosition:  {"Image Position"},
	colImageAlt:       {"Image Alt Text"},
	colVariantImage:   {"Variant Image", "Variant image URL"},
	colGiftCard:       {"Gift Card"},
	colSEOTitle:       {"SEO Title"},
	colSEODescription: {"SEO Description"},
}

// maxUnused is how many unused columns are named.
const maxUnused = 99

// sheet is a kind of tables.
type sheet struct {
	noun      string     // of what its rows are
	names     [][]string // by column
	needed    []column
	resources []fields.Resource // whose custom fields it may have columns of
	grouped   bool              // a thing may have several rows
}

var products = &sheet{"product", columnNames[:], []column{colHandle, colTitle}, []fields.Resource{fields.Products, fields.Variants}, true}

// headings is what is known of the columns of a file before its header is read.
type headings struct {
	*sheet
	mapping map[string]string   // what a column is to be taken for, by its own name
	defined []fields.Definition // the custom fields that there are
}

// custom is a column of a custom field.
type custom struct {
	place   int
	name    string
	defined fields.Definition
}

// table is what the file's header says.
type table struct {
	*sheet
	header []string
	place  []int // of each column in a row, -1 where the file has none
	custom []custom
	unused []Message // of columns that say nothing to us
}

// metafield is how Shopify names the columns of custom fields, with what people call them
// before it. Whatever the namespace, the key says which field it is.
var metafield = regexp.MustCompile(`(?i)^(?:.*\()?(product|variant|customer)\.metafields\.[^.()]+\.([^.()]+)\)?$`)

// field is the custom field that a column is of, if there is one.
func (h headings) field(name string) *fields.Definition {
	parts := metafield.FindStringSubmatch(name)
	if parts == nil {
		return nil
	}
	for i, d := range h.defined {
		if strings.EqualFold(string(d.Resource), parts[1]) && d.Key == strings.ReplaceAll(strings.ToLower(parts[2]), "-", "_") {
			return &h.defined[i]
		}
	}
	return nil
}

// newTable reads a header. Its error is the problem that this is no such file.
func newTable(header []string, h headings) (*table, error) {
	t := &table{sheet: h.sheet, header: header, place: make([]int, len(h.names))}
	for c := range t.place {
		t.place[c] = -1
	}
	known := map[string]column{}
	for c, names := range h.names {
		for _, name := range names {
			known[strings.ToLower(name)] = column(c)
		}
	}
	extra := 0
	for i, name := range header {
		name = strings.TrimSpace(name)
		meant, mapped := h.mapping[name]
		if !mapped {
			meant = name
		}
		c, ok := known[strings.ToLower(meant)]
		field := h.field(meant)
		switch {
		case ok && t.place[c] < 0:
			t.place[c] = i
		case field != nil && !slices.ContainsFunc(t.custom, func(o custom) bool { return o.defined.ID == field.ID }):
			t.custom = append(t.custom, custom{i, name, *field})
		case name == "", mapped && meant == "":
		case len(t.unused) >= maxUnused:
			extra++
		case ok:
			t.unused = append(t.unused, message(Info, "column_repeated", name, "There is another column of this meaning before it; this one is not used."))
		case metafield.MatchString(meant):
			t.unused = append(t.unused, message(Info, "column_unused", name, "There is no custom field of this key, so that nothing is made of this column."))
		default:
			t.unused = append(t.unused, message(Info, "column_unused", name, "Nothing is made of this column."))
		}
	}
	if extra > 0 {
		t.unused = append(t.unused, message(Info, "column_unused", "", "Nothing is made of %d further columns.", extra))
	}
	wrong := notCSV("The file is not a " + h.noun + " CSV as Shopify exports it.")
	for _, c := range h.needed {
		if t.place[c] < 0 {
			wrong.At("/file", "missing_column", "The first line has no column %q.", h.names[c][0])
		}
	}
	if len(wrong.Faults) > 0 && len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		wrong.At("/file", "separator", "The columns seem to be separated by %q; they must be separated by commas.", strings.Trim(strings.Map(onlySeparators, header[0]), " ")[:1])
	}
	return t, wrong.OrNil()
}

// values are what a row holds in the custom fields of a resource, nil where a cell is blank;
// nil where the file has none.
func (t *table) values(r *row, resource fields.Resource) fields.Values {
	var values fields.Values
	for i := range t.custom {
		c := &t.custom[i]
		if c.defined.Resource != resource {
			continue
		}
		if values == nil {
			values = fields.Values{}
		}
		values[c.defined.Key] = nil
		if c.place < len(r.fields) {
			values[c.defined.Key] = c.defined.Parse(r.fields[c.place])
		}
	}
	return values
}

// customColumn is what the file calls the column of a custom field.
func (t *table) customColumn(resource fields.Resource, key string) string {
	for _, c := range t.custom {
		if c.defined.Resource == resource && c.defined.Key == key {
			return c.name
		}
	}
	return key
}

func onlySeparators(c rune) rune {
	if c == ';' || c == '\t' {
		return c
	}
	return -1
}

func notCSV(detail string) *problem.Problem {
	return problem.New(problem.Unprocessable, "file_invalid", "%s", detail)
}

// has says whether the file has a column.
func (t *table) has(c column) bool { return t.place[c] >= 0 }

// name is what the file calls a column.
func (t *table) name(c column) string {
	if t.has(c) {
		return strings.TrimSpace(t.header[t.place[c]])
	}
	return t.names[c][0]
}

// text is what a row says in a column, without blanks around it.
func (t *table) text(r *row, c column) string {
	if i := t.place[c]; i >= 0 && i < len(r.fields) {
		return strings.TrimSpace(r.fields[i])
	}
	return ""
}
