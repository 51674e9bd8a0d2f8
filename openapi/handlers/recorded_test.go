package handlers

import (
	"slices"
	"testing"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/apitest"
)

// otherwise are operations whose changes are undone otherwise than as those of a record: by an
// inverse of their own, from what is kept, or with the operation that they begin.
var otherwise = map[string]string{
	"generateVariants":        "variant.generate",
	"updateTranslations":      "translation.update",
	"resetMailTemplate":       "mail_template.update",
	"addCollectionProducts":   "collection.add",
	"moveCollectionProduct":   "collection.move",
	"removeCollectionProduct": "collection.remove",
	"setPriceListPrices":      "price_list.set_prices",
	"reducePriceListPrices":   "price_list.reduce",
	"createPromotionCodes":    "promotion.add_codes",
	"deletePromotionCode":     "promotion.remove_codes",
	"publishTheme":            "theme.publish",
	"discardTheme":            "theme.update",
	"bulkProducts":            "",
	"bulkVariants":            "",
	"createImport":            "",
	"deleteDraftOrder":        "draft_order.delete",
}

// The reasons for which what the staff and their programs do is not undone from the audit.
const (
	knowingly = "who may do what is changed knowingly"
	ofPersons = "what is known of a person is not brought back unasked"
	trade     = "what was agreed with a shopper goes on: it is cancelled, refunded or returned"
	ledger    = "a ledger goes on: what was booked is booked back"
	draft     = "a cart is a draft"
	elsewhere = "records that others keep decide about it"
	nothing   = "it changes no catalogue, price, content or setting"
)

// notUndone are the writes that are not undone from the audit, and why.
var notUndone = map[string]string{
	"undoAuditEntry": "what it does is undone by its own entries",
	"undoOperation":  "the operation that it undid can be asked for again",

	"deleteStore": "there is restoreStore", "restoreStore": "there is deleteStore",
	"inviteStaff": knowingly, "updateStaffMember": knowingly, "removeStaffMember": knowingly, "revokeInvitation": knowingly,
	"createRole": knowingly, "updateRole": knowingly, "deleteRole": knowingly,
	"createApiKey": knowingly, "updateApiKey": knowingly, "revokeApiKey": knowingly, "rotateApiKey": knowingly,
	"rotateWebhookSecret": knowingly, "connectStripe": knowingly,

	"createDomain": elsewhere, "updateDomain": elsewhere, "deleteDomain": elsewhere, "verifyDomain": elsewhere,

	"createCustomer": ofPersons, "updateCustomer": ofPersons, "deleteCustomer": ofPersons,
	"erasePersonalData": ofPersons, "exportPersonalData": ofPersons, "discloseDocument": ofPersons,

	"updateOrder": trade, "cancelOrder": trade, "createFulfilment": trade, "createOrderNote": trade, "createRefund": trade, "createOrderEdit": trade,
	"createReturn": trade, "approveReturn": trade, "declineReturn": trade, "receiveReturn": trade, "closeReturn": trade, "cancelReturn": trade,
	"inspectReturn": trade, "refundReturn": trade, "exchangeReturn": trade,
	"issueInvoice": trade, "createOrderPayment": trade, "requestOrderPayment": trade, "capturePayment": trade, "voidPayment": trade,

	"createGiftCard": ledger, "createGiftCards": ledger, "adjustGiftCard": ledger, "adjustStoreCredit": ledger, "adjustInventory": ledger, "transferInventory": ledger,

	"createDraftOrder": draft, "updateDraftOrder": draft, "sendDraftOrder": draft, "completeDraftOrder": draft, "updateStaffCart": draft,

	"rebuildAnalytics": nothing, "replayRequest": nothing, "createExport": nothing, "cancelOperation": nothing,
	"previewMailTemplate": nothing, "previewTheme": nothing, "sendTestMail": nothing, "sendTestEvent": nothing, "recoverEvents": nothing, "resendDelivery": nothing,
}

// TestEveryWriteCanBeUndone holds that the operations of each record are there, for those who
// may undo, and that of the staff's writes none was forgotten: it is undone, or it is not for
// a reason.
func TestEveryWriteCanBeUndone(t *testing.T) {
	t.Parallel()
	list := apitest.Operations(t)
	operations, undone := map[string]*openapi.Operation{}, map[string]bool{}
	for _, op := range list {
		operations[op.ID] = op
	}
	theirs := operations["undoAuditEntry"].Credentials
	for _, r := range records {
		for _, id := range []string{r.update, r.create, r.delete} {
			undone[id] = undone[id] || !r.past
		}
		for _, id := range []string{r.get, r.update, r.create, r.delete} {
			if op := operations[id]; id != "" && (op == nil || !slices.Equal(op.Credentials, theirs)) {
				t.Errorf("%s: %s is no operation of those who undo", r.kind, id)
			}
		}
	}
	for id, action := range otherwise {
		if undone[id] = true; operations[id] == nil {
			t.Errorf("there is no %s", id)
		}
		if _, _, known := recordOf(action); action != "" && !known {
			t.Errorf("%s is of no record", action)
		}
	}
	for id := range notUndone {
		if operations[id] == nil {
			t.Errorf("there is no %s", id)
		}
	}
	for _, op := range list {
		if op.Writes() && slices.Contains(op.Credentials, theirs[0]) && op.Permission != "none" && undone[op.ID] == (notUndone[op.ID] != "") {
			t.Errorf("%s is undone or not, for a reason", op.ID)
		}
	}
}
