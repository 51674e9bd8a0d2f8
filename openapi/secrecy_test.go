package openapi

import (
	"regexp"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/openapi/contract"
)

// sounding are names of what is likely to be a secret.
var sounding = regexp.MustCompile(`(^|_)(password|secret|token|seed|otp)$`)

// open are properties that sound like secrets and are none.
var open = map[string]string{
	"PaymentOption.token": "names a way to pay to everybody",
}

// TestSecretsAreMarked holds that what sounds like a secret is marked as one in the contract,
// so that it is not written down.
func TestSecretsAreMarked(t *testing.T) {
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range doc.Components.Schemas {
		for property, ref := range schema.Value.Properties {
			at := name + "." + property
			if sounding.MatchString(property) && open[at] == "" && ref.Value.Type.Is("string") && !secret(ref.Value) {
				t.Errorf("%s sounds like a secret and is not marked: x-secret", at)
			}
		}
	}
	operations, err := Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, op := range operations {
		for _, p := range op.parameters {
			if (p.In == "path" || p.In == "query") && sounding.MatchString(p.Name) && !op.secrets[p.In+" "+p.Name] {
				t.Errorf("%s: the parameter %s sounds like a secret and is not marked", op.ID, p.Name)
			}
		}
		kept[op.ID] = op.asked != nil
	}
	if !kept["signIn"] || !kept["registerCustomer"] || kept["createProduct"] {
		t.Error("secrets are found in the wrong bodies")
	}
}

func TestSecretsAreTakenOut(t *testing.T) {
	doc := []byte(`{"openapi":"3.0.3","info":{"title":"x","version":"1"},"paths":{},"components":{"schemas":{
		"Leaf":{"type":"object","properties":{"password":{"type":"string","format":"password"},"name":{"type":"string"}}},
		"Tree":{"type":"object","properties":{
			"leaf":{"$ref":"#/components/schemas/Leaf"},"leaves":{"type":"array","items":{"$ref":"#/components/schemas/Leaf"}},
			"named":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Leaf"}},"self":{"$ref":"#/components/schemas/Tree"},
			"either":{"oneOf":[{"type":"string"},{"allOf":[{"$ref":"#/components/schemas/Leaf"},{"type":"object","properties":{"pin":{"type":"string","x-secret":true}}}]}]},
			"key":{"type":"object","writeOnly":true}}}}}}`)
	spec, err := openapi3.NewLoader().LoadFromData(doc)
	if err != nil {
		t.Fatal(err)
	}
	s := secrecyOf(spec.Components.Schemas["Tree"], map[*openapi3.Schema]bool{})
	for body, want := range map[string]string{
		`{"leaf":{"password":"p","name":"n"}}`:                  `{"leaf":{"name":"n","password":"[removed]"}}`,
		`{"leaves":[{"password":"p"},{"name":"n"}]}`:            `{"leaves":[{"password":"[removed]"},{"name":"n"}]}`,
		`{"named":{"a":{"password":"p"},"b":{"name":"n"}}}`:     `{"named":{"a":{"password":"[removed]"},"b":{"name":"n"}}}`,
		`{"either":{"pin":"1","password":["p"]},"key":{"a":1}}`: `{"either":{"password":"[removed]","pin":"[removed]"},"key":"[removed]"}`,
		`{"leaf":{"password":null},"n":12345678901234567890}`:   `{"leaf":{"password":null},"n":12345678901234567890}`,
		`{"leaf":`: ``,
	} {
		if got, taken := s.redact([]byte(body)); string(got) != want || taken != (body != want) {
			t.Errorf("%s became %s (%t), want %s", body, got, taken, want)
		}
	}
}
