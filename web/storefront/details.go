package storefront

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/money"
)

// customField is what a product or a variant holds in a custom field that shoppers see.
type customField struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// detail is a custom field in words.
type detail struct{ Name, Text string }

// safetyFields are the keys of the custom fields that tell who makes a product, who answers for
// it in the European Union, and what to beware of: what Article 19 of Regulation (EU) 2023/988
// wants told where something is offered.
var safetyFields = []string{"manufacturer", "responsible_person", "safety"}

// safety is what they hold.
func (p *productView) safety() []detail {
	var list []detail
	for _, key := range safetyFields {
		if f, there := p.Fields[key]; there {
			if text := p.told(f); text != "" {
				list = append(list, detail{f.Name, text})
			}
		}
	}
	return list
}

// unit is what a unit is called.
func (v *view) unit(name string) string {
	switch name {
	case "m2":
		return "m²"
	case "m3":
		return "m³"
	case "piece":
		return v.T("piece")
	}
	return name
}

// details are the custom fields of a product and the variant chosen, in the order of their
// names; without those that are for programs.
func (p *productView) details() []detail {
	var list []detail
	add := func(fields map[string]customField) {
		for key, f := range fields {
			if text := p.told(f); text != "" && !slices.Contains(safetyFields, key) {
				list = append(list, detail{f.Name, text})
			}
		}
	}
	add(p.Fields)
	if p.Chosen != nil {
		add(p.Chosen.Fields)
	}
	slices.SortFunc(list, func(a, b detail) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Text, b.Text)) })
	return list
}

// told is a field's value in words, or nothing.
func (p *productView) told(f customField) string {
	if strings.HasSuffix(f.Type, "_reference") || f.Type == "json" {
		return ""
	}
	items := []json.RawMessage{f.Value}
	if f.Value[0] == '[' {
		items = nil
		_ = json.Unmarshal(f.Value, &items) // it is a list, and of values that were judged
	}
	var words []string
	for _, item := range items {
		words = append(words, p.word(f.Type, item))
	}
	return strings.Join(words, ", ")
}

func (p *productView) word(kind string, value json.RawMessage) string {
	switch kind {
	case "boolean":
		if string(value) == "true" {
			return p.T("Yes")
		}
		return p.T("No")
	case "integer":
		return string(value)
	case "money":
		var amount money.Money
		_ = json.Unmarshal(value, &amount)
		return p.money(amount)
	case "weight", "length":
		var measure struct{ Value, Unit string }
		_ = json.Unmarshal(value, &measure)
		return measure.Value + " " + measure.Unit
	}
	var text string
	_ = json.Unmarshal(value, &text)
	return text
}
