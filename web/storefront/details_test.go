package storefront

import (
	"encoding/json"
	"slices"
	"testing"
)

// Custom fields are told in words, each type in its own, and what is for programs is not.
func TestDetailsOfAProduct(t *testing.T) {
	t.Parallel()
	p := &productView{view: &view{words: wordsFor("de-DE"), frame: &frame{locale: "de-DE"}}, Chosen: &variant{Fields: map[string]customField{"fit": {"Weite", "text", json.RawMessage(`"schmal"`)}}}}
	for key, value := range map[string]string{
		"text": `"Leinen"`, "boolean": `true`, "integer": `12`, "money": `{"amount": 1999, "currency": "EUR"}`, "weight": `{"value": "1.5", "unit": "kg"}`,
		"choice": `["rot", "blau"]`, "json": `{"a": 1}`, "product_reference": `"prod_1"`,
	} {
		if p.Fields == nil {
			p.Fields = map[string]customField{}
		}
		p.Fields[key] = customField{"Ein " + key, key, json.RawMessage(value)}
	}
	want := []detail{{"Ein boolean", "Ja"}, {"Ein choice", "rot, blau"}, {"Ein integer", "12"}, {"Ein money", "19,99\u00a0€"}, {"Ein text", "Leinen"}, {"Ein weight", "1.5 kg"}, {"Weite", "schmal"}}
	if got := p.details(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
