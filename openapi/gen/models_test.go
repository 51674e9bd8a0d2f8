package gen_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/openapi/gen"
)

func TestMergePatchesTellNullFromAbsence(t *testing.T) {
	var patch gen.ProductUpdate
	if err := json.Unmarshal([]byte(`{"vendor": null, "product_type": "Shirts", "tags": []}`), &patch); err != nil {
		t.Fatal(err)
	}
	if !patch.Vendor.IsSpecified() || !patch.Vendor.IsNull() {
		t.Error("null is not seen")
	}
	if kind, err := patch.ProductType.Get(); err != nil || kind != "Shirts" {
		t.Errorf("a value is not seen: %q, %v", kind, err)
	}
	if patch.SEOTitle.IsSpecified() || patch.Title != nil || patch.Options != nil {
		t.Error("what is absent is taken for given")
	}
	if patch.Tags == nil || len(patch.Tags) != 0 {
		t.Error("an empty list is taken for an absent one")
	}
}

func TestAnswersWriteNullWhereThereIsNoValue(t *testing.T) {
	text, err := json.Marshal(gen.CartLine{ID: "cln_01jd3v7m2kf8r9e0abcdefghjk"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"sku":null`, `"image_url":null`, `"quantity":0`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in %s", want, text)
		}
	}
}
