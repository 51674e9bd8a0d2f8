package ids

import (
	"slices"
	"testing"
)

func TestNewIsValidUniqueAndSorted(t *testing.T) {
	var made []string
	seen := map[string]bool{}
	for range 2000 {
		id := New("prod")
		if !Valid("prod", id) {
			t.Fatalf("%q is not valid", id)
		}
		if seen[id] {
			t.Fatalf("%q made twice", id)
		}
		seen[id] = true
		made = append(made, id)
	}
	if !slices.IsSorted(made) {
		t.Fatal("IDs do not sort by the time they were made")
	}
}

func TestValidRefusesOtherForms(t *testing.T) {
	id := New("prod")
	for _, bad := range []string{"", "prod", "prod_", id[:len(id)-1], id + "0", "x" + id, "prod_" + "u" + id[6:], "PROD" + id[4:], "prod_\x00" + id[6:]} {
		if Valid("prod", bad) {
			t.Errorf("Valid accepted %q", bad)
		}
	}
	if Valid("ord", id) {
		t.Error("an ID of another kind was accepted")
	}
}

func TestFromBytesKeepsTheOrderAndTheForm(t *testing.T) {
	low, high := FromBytes("req", [16]byte{1}), FromBytes("req", [16]byte{1, 1})
	if !Valid("req", low) || !Valid("req", high) || low >= high {
		t.Errorf("made %q and %q", low, high)
	}
}
