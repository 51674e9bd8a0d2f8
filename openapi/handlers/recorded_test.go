package handlers

import (
	"slices"
	"testing"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/contract"
)

// notUndone are the updates whose changes are not undone from the audit, and why.
var notUndone = map[string]string{
	"updateAccount":         "a person's own",
	"updateMe":              "a person's own",
	"updateCustomer":        "what is known of a person is not brought back unasked",
	"updateStaffMember":     "who may do what is changed knowingly",
	"updateRole":            "who may do what is changed knowingly",
	"updateApiKey":          "who may do what is changed knowingly",
	"updateOrder":           "its addresses are in no entry",
	"updateDraftOrder":      "a cart is a draft",
	"updateStaffCart":       "a cart is a draft",
	"updateCart":            "a cart is a draft",
	"updateCartLine":        "a cart is a draft",
	"changeMyReview":        "a review is a shopper's own",
	"moderateReview":        "a review is a shopper's own",
	"updateMyWishlist":      "a wishlist is a shopper's own",
	"moveCollectionProduct": "undone as what is in a collection",
}

// TestEveryUpdateCanBeUndone holds that the operations of each record are there, for those
// who may undo, and that no update of the contract was forgotten.
func TestEveryUpdateCanBeUndone(t *testing.T) {
	t.Parallel()
	doc, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	list, err := openapi.Operations(doc)
	if err != nil {
		t.Fatal(err)
	}
	operations, updates := map[string]*openapi.Operation{}, map[string]bool{}
	for _, op := range list {
		operations[op.ID] = op
	}
	for _, r := range records {
		updates[r.update] = true
		for _, id := range []string{r.get, r.update, r.create, r.delete} {
			if op := operations[id]; id != "" && (op == nil || !slices.Equal(op.Credentials, operations["undoAuditEntry"].Credentials)) {
				t.Errorf("%s: %s is no operation of those who undo", r.kind, id)
			}
		}
	}
	for _, op := range list {
		if op.Method == "PATCH" && updates[op.ID] == (notUndone[op.ID] != "") {
			t.Errorf("%s is undone or not, for a reason", op.ID)
		}
	}
}
