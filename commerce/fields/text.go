package fields

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Defined are the definitions of resources, the oldest first.
func Defined(ctx context.Context, tx *postgres.Tx, resources ...Resource) ([]Definition, error) {
	var list []Definition
	if err := tx.Bun.NewSelect().Model(&list).Where("d.resource = any(?)", names(resources)).Order("d.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the custom fields: %w", err)
	}
	return list, nil
}

// names are resources as Postgres reads an array of them.
func names(resources []Resource) string {
	list := make([]string, len(resources))
	for i, r := range resources {
		list[i] = string(r)
	}
	return "{" + strings.Join(list, ",") + "}"
}

// Format writes a value of the field as the cell of a table: a text as it is, a list and
// what has parts as JSON.
func (d *Definition) Format(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if d.Type != JSON {
			return v
		}
	case bool:
		return strconv.FormatBool(v)
	}
	raw, err := json.Marshal(value)
	if err != nil { // it was read from JSON
		return ""
	}
	return string(raw)
}

// Parse reads the cell of a table as a value of the field, for Merge to judge: nil where it
// is blank. A list is JSON, or texts between semicolons.
func (d *Definition) Parse(cell string) any {
	if cell = strings.TrimSpace(cell); cell == "" {
		return nil
	}
	if !d.List {
		return d.parse(cell)
	}
	var items []any
	if json.Unmarshal([]byte(cell), &items) == nil {
		return items
	}
	for part := range strings.SplitSeq(cell, ";") {
		if part = strings.TrimSpace(part); part != "" {
			items = append(items, d.parse(part))
		}
	}
	return items
}

func (d *Definition) parse(cell string) any {
	switch d.Type {
	case Integer, JSON, Money, Weight, Length:
		var value any
		if json.Unmarshal([]byte(cell), &value) == nil {
			return value
		}
	case Boolean:
		if truth, err := strconv.ParseBool(strings.ToLower(cell)); err == nil {
			return truth
		}
	}
	return cell // which is no value of such a type, if it is not a text's
}
