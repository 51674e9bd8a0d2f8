package imports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/problem"
)

// internalFault is what is said of a fault of ours.
const internalFault = "It could not be kept, because of a fault on our side."

// blame notes the reason why a product is refused on the rows that it comes from, and has
// the product's rows fail.
func (p *plan) blame(err error) {
	why := problem.As(err)
	switch {
	case why == nil:
		p.rows[0].say(message(Error, "internal_error", "", internalFault))
	case len(why.Faults) == 0:
		p.rows[0].say(message(Error, why.Code, "", "%s", why.Detail))
	default:
		for _, fault := range why.Faults {
			r, field := p.place(fault.Pointer)
			r.say(message(Error, fault.Code, field, "%s", fault.Detail))
		}
	}
}

// productColumns are the columns that the catalogue's pointers lead to.
var productColumns = map[string]column{
	"title": colTitle, "handle": colHandle, "description_html": colBody, "vendor": colVendor, "product_type": colType, "tags": colTags,
	"status": colStatus, "category_id": colCategory, "seo_title": colSEOTitle, "seo_description": colSEODescription,
}

var variantColumns = map[string]column{
	"sku": colSKU, "barcode": colBarcode, "weight_grams": colGrams, "cost": colCost, "net_content": colNetContent, "prices": colPrice, "stock_quantity": colQuantity, "image_id": colVariantImage,
}

// place finds the row and the column that one of the catalogue's pointers is about.
func (p *plan) place(pointer string) (*row, string) {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	key := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	number := func(i int) int {
		if i < len(parts) {
			if n, err := strconv.Atoi(parts[i]); err == nil {
				return n
			}
		}
		return 0
	}
	first := p.rows[0]
	switch parts[0] {
	case "custom_fields":
		return first, p.table.customColumn(fields.Products, key(1))
	case "options":
		if len(parts) > 2 && parts[2] == "name" {
			return first, p.table.name(p.choiceColumn(number(1)) - colOption1Value + colOption1Name)
		}
		return first, p.table.name(p.choiceColumn(number(1)))
	case "variants":
		if len(parts) < 3 || number(1) >= len(p.order) {
			return first, ""
		}
		r := p.order[number(1)].row
		if parts[2] == "option_values" {
			return r, p.table.name(p.choiceColumn(number(3)))
		}
		if parts[2] == "custom_fields" {
			return r, p.table.customColumn(fields.Variants, key(3))
		}
		if parts[len(parts)-1] == "compare_at_amount" {
			return r, p.table.name(colCompareAt)
		}
		if c, known := variantColumns[parts[2]]; known {
			return r, p.table.name(c)
		}
		return r, ""
	}
	if c, known := productColumns[parts[0]]; known {
		return first, p.table.name(c)
	}
	return first, ""
}

// reason is what a problem says, for a sentence.
func reason(err error) string {
	why := problem.As(err)
	switch {
	case why == nil:
		return internalFault
	case len(why.Faults) == 0:
		return why.Detail
	default:
		return fmt.Sprint(why.Faults[0].Detail)
	}
}
