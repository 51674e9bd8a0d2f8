package imports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/commerce/catalog"
)

// What Shopify writes for a product without options.
const (
	noOption = "Title"
	noChoice = "Default Title"
)

// readOptions reads what the variants are choices of. Names stand in the first row.
func (dr drafter) readOptions(d *draft) {
	t := dr.table
	var names []string
	for i := range maxOptions {
		value := colOption1Value + column(i)
		if !slices.ContainsFunc(d.variants, func(v *variantDraft) bool { return t.text(v.row, value) != "" }) {
			continue
		}
		d.columns = append(d.columns, i)
		names = append(names, oneLine(t.text(d.rows[0], colOption1Name+column(i))))
	}
	if dr.optionless(d, names) {
		d.columns = nil
		for _, v := range d.variants {
			v.choices = []string{}
		}
		return
	}
	for i, of := range d.columns {
		if names[i] == "" && d.titled {
			t.wrong(d.rows[0], colOption1Name+column(of), "option_name_missing", "There are choices, but the product's first row does not say of what.")
		}
		d.options = append(d.options, catalog.Option{Name: names[i]})
	}
	for _, v := range d.variants {
		for i, of := range d.columns {
			choice := oneLine(t.text(v.row, colOption1Value+column(of)))
			if choice == "" {
				t.wrong(v.row, colOption1Value+column(of), "option_value_missing", "The other rows have a choice here.")
			}
			v.choices = append(v.choices, choice)
			if !slices.Contains(d.options[i].Values, choice) {
				d.options[i].Values = append(d.options[i].Values, choice)
			}
		}
	}
	dr.distinct(d)
}

// optionless says whether the rows tell of the one variant of a product without options.
func (dr drafter) optionless(d *draft, names []string) bool {
	if len(d.columns) != 1 || names[0] != "" && !strings.EqualFold(names[0], noOption) {
		return len(d.columns) == 0
	}
	return !slices.ContainsFunc(d.variants, func(v *variantDraft) bool {
		return !strings.EqualFold(dr.table.text(v.row, colOption1Value+column(d.columns[0])), noChoice)
	})
}

// distinct refuses rows that are the same variant as one before.
func (dr drafter) distinct(d *draft) {
	seen := map[string]int{}
	for _, v := range d.variants {
		key := fmt.Sprintf("%q", v.choices)
		if line, repeated := seen[key]; repeated {
			dr.table.wrong(v.row, colOption1Value, "variant_repeated", "Line %d has the same choices.", line)
		} else {
			seen[key] = v.row.line
		}
	}
}

// choiceColumn is the column of a variant's choice of an option.
func (d *draft) choiceColumn(option int) column {
	if option < len(d.columns) {
		return colOption1Value + column(d.columns[option])
	}
	return colOption1Value
}
