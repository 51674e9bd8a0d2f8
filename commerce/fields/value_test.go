package fields

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/problem"
)

var types = []Type{Text, Multiline, Integer, Decimal, Boolean, Date, DateTime, URL, JSON, Money, Weight, Length, Choice, Product, Variant, Collection}

// anything draws a value as a body of JSON has it, often one that some type takes.
func anything(t *rapid.T) any {
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		return rapid.String().Draw(t, "text")
	case 1:
		return rapid.Float64().Draw(t, "number")
	case 2:
		return float64(rapid.Int64().Draw(t, "whole"))
	case 3:
		return rapid.Bool().Draw(t, "truth")
	case 4:
		return map[string]any{"amount": float64(rapid.Int32().Draw(t, "amount")), "currency": rapid.SampledFrom([]string{"EUR", "JPY", "XYZ"}).Draw(t, "currency")}
	case 5:
		return map[string]any{"value": rapid.StringMatching(`-?[0-9]{1,3}(\.[0-9])?`).Draw(t, "measure"), "unit": rapid.SampledFrom([]string{"kg", "cm", "l"}).Draw(t, "unit")}
	case 6:
		return rapid.SliceOfN(rapid.Custom(anything), 0, 3).Draw(t, "list")
	case 7:
		return rapid.SampledFrom([]any{"2026-11-22", "2026-02-30", "2026-11-22T09:30:00+01:00", "linen", "12.50", "https://example.com", "prod_01jd3v7m2kf8r9e0abcdefghjk"}).Draw(t, "known")
	}
	return nil
}

// What is taken is taken again as it was kept, by whoever reads a thing and writes it back;
// what is refused is named at its place.
func TestWhatIsKeptCanBeWrittenBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := &Definition{Key: "f", Type: rapid.SampledFrom(types).Draw(t, "type"), List: rapid.Bool().Draw(t, "list")}
		if d.Type == Choice {
			d.Validations.Choices = []string{"linen", "wool"}
		}
		book := &Book{defined: map[string]*Definition{"f": d}}
		given := anything(t)
		if d.List && rapid.Bool().Draw(t, "wrapped") {
			given = []any{given}
		}
		before := Values{"other": "kept"}
		values, wrong := before, problem.New(problem.Unprocessable, "x", "x")
		book.Merge(&values, Values{"f": given}, wrong, "/custom_fields")
		if len(before) != 1 || values["other"] != "kept" {
			t.Fatalf("others became %v, %v", before, values)
		}
		for _, f := range wrong.Faults {
			if f.Pointer != "/custom_fields/f" && !strings.HasPrefix(f.Pointer, "/custom_fields/f/") {
				t.Fatalf("%v is wrong at %s", given, f.Pointer)
			}
		}
		if len(wrong.Faults) > 0 {
			return
		}
		if _, there := values["f"]; there != (given != nil) {
			t.Fatalf("%v became %v", given, values)
		}
		raw, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		var read Values
		if err := json.Unmarshal(raw, &read); err != nil {
			t.Fatal(err)
		}
		again := read
		book.Merge(&again, Values{"f": read["f"]}, wrong, "")
		if len(wrong.Faults) > 0 || !reflect.DeepEqual(again, read) {
			t.Fatalf("%s is not taken again: %v, %v", raw, again, wrong.Faults)
		}
	})
}
