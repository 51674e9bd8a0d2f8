package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/flows"
	"github.com/stoacommerce/stoa/openapi/probe"
)

// untold are the writes of which no event tells, and why.
var untold = map[string]string{
	"signIn": session, "signOut": session, "signInCustomer": session, "signOutCustomer": session, "revokeSession": session,
	"updateAccount": account, "requestEmailVerification": account, "verifyEmail": account, "requestPasswordReset": account, "completePasswordReset": account,
	"changePassword": account, "requestEmailChange": account, "confirmEmailChange": account, "startTotp": account, "confirmTotp": account, "removeTotp": account,
	"regenerateRecoveryCodes": account, "signUp": "the store has no endpoint before there is a store",
	"createApiKey": credential, "updateApiKey": credential, "revokeApiKey": credential, "rotateApiKey": credential,
	"requestCustomerPasswordReset": proof, "completeCustomerPasswordReset": "it makes another password, and the person stays as they were", "registerCustomer": proof, "requestStockAlert": proof, "requestMyEmailChange": proof, "subscribe": proof, "requestOrderLink": proof, "writeToShop": "it sends a mail, and changes nothing",
	"withdrawFromContract": "it is a declaration to the shop, which changes the order when it acts on it",
	"createCart":           cart, "updateCart": cart, "addCartLine": cart, "updateCartLine": cart, "removeCartLine": cart, "addCartCode": cart, "removeCartCode": cart,
	"addCartGiftCard": cart, "removeCartGiftCard": cart, "useCartStoreCredit": cart, "removeCartStoreCredit": cart, "reserveCart": cart, "releaseCart": cart,
	"openMyCart": cart, "updateStaffCart": cart, "openDraftOrder": cart, "checkCartPayment": payment, "cancelCartPayment": payment,
	"createOrderNote": "a note among the staff's own, which changes nothing of the order",
	"recoverEvents":   "it sends events that there are", "resendDelivery": "it sends an event that there is",
	"revokeInvitation": "nobody joined, and nobody left", "cancelOperation": "what it ends with is told when it ends", "undoOperation": "what it ends with is told when it ends",
	"createExport": "what it ends with is told when it ends", "exportPersonalData": "it reads, and changes nothing", "replayRequest": "it is tried dry, and changes nothing",
	"discloseDocument": "it reads, and changes nothing", "rebuildAnalytics": "figures are counted anew, and nothing that was sold changes",
	"createImport": "what it ends with is told when it ends", "bulkProducts": "what it ends with is told when it ends", "bulkVariants": "what it ends with is told when it ends",
	"requestOrderPayment": "it mails a link, and changes nothing of the order", "previewMailTemplate": "it reads, and changes nothing", "previewTheme": "it reads, and changes nothing", "sendTestMail": "it sends a mail, and changes nothing",
	"issueInvoice": "orders that are paid have one already, which is answered",
	"setStorePlan": operator, "reconcileStore": operator, "retryJob": operator, "discardJob": operator, "connectStripe": "nothing is connected before the merchant comes back from Stripe",
	"receiveStripeEvent": "what it tells of is asked for by a job, which tells of it",
}

const (
	session    = "who comes and goes stands in the audit, and changes nothing of the store"
	account    = "an account is a person's own, whatever stores they work in"
	credential = "credentials stand in the audit; receivers of events are told nothing of what opens the store"
	proof      = "nothing is changed before the address is proven"
	cart       = "a shopper's every step would drown all else: carts are told of when they are left or bought"
	payment    = "it asks how a payment stands; what it finds is told as payment.* and order.*"
	operator   = "it is the platform's, and changes nothing that the store has"
)

// witness sees which writes of a program left events.
type witness struct {
	mu   sync.Mutex
	seen map[string][]string // request IDs by operation, of the calls that succeeded

	operations map[string]*probe.Operation
}

func (w *witness) saw(_ *flows.Step, answer *probe.Answer) {
	if answer.Operation.Method == http.MethodGet || answer.Status >= 300 || answer.Header.Get("Dry-Run") != "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen, w.operations = map[string][]string{}, map[string]*probe.Operation{}
	}
	w.operations[answer.Operation.ID] = answer.Operation
	w.seen[answer.Operation.ID] = append(w.seen[answer.Operation.ID], answer.Header.Get("Request-Id"))
}

// check finds the events that the writes left, at once or by their jobs. Each leaves one, or
// is among those that need not.
func (w *witness) check(t *testing.T, p *apptest.Program) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	lacking := func() (list []string) {
		var parts []string
		for _, schema := range apptest.Query[string](p, `select nspname from pg_namespace where nspname ~ '^s_[0-9]+$'`) {
			parts = append(parts, fmt.Sprintf(`select request_id from %q.events`, schema))
		}
		told := map[string]bool{}
		for _, id := range apptest.Query[string](p, strings.Join(parts, " union ")) {
			told[id] = true
		}
		for operation, requests := range w.seen {
			if untold[operation] == "" && !slices.ContainsFunc(requests, func(id string) bool { return told[id] }) {
				list = append(list, operation)
			}
		}
		return list
	}
	for deadline := time.Now().Add(20 * time.Second); len(lacking()) > 0 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
	}
	if len(w.seen) == 0 {
		t.Error("no write was seen")
	}
	for _, operation := range lacking() {
		t.Errorf("%s changed something, and no event tells of it", operation)
	}
}
