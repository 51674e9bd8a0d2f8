package mail

import (
	"time"

	"github.com/stoacommerce/stoa/platform/money"
)

// What samples have in common.
const (
	sampleURL = "https://shop.example.com/sample"
	sampleEnd = "https://shop.example.com/unsubscribe"
	sampleIP  = "203.0.113.9"
)

var (
	sampleTime    = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	sampleLines   = []Line{{"Stoneware mug", "Large / Blue", 2, euros(3800)}, {"Bowl", "", 1, euros(2450)}}
	sampleItems   = []Item{{"Stoneware mug", "Large / Blue", 2}, {"Bowl", "", 1}}
	sampleAddress = Address{Name: "Ada Example", Line1: "1 Sample Street", PostalCode: "10115", City: "Berlin", Country: "DE"}
)

func euros(cents int64) money.Money { return money.New(cents, "EUR") }

// kinds are all kinds.
var kinds = map[Kind]about{
	KindAccountVerifyEmail: of("", AccountVerifyEmail{sampleURL, 48}),
	KindAccountKnownSignup: of("", AccountKnownSignup{sampleURL, sampleURL, sampleTime, sampleIP}),
	KindTOTPChanged:        of("", TOTPChanged{TOTPEnabled, sampleURL, sampleTime, sampleIP}),
	KindPasskeyChanged:     of("", PasskeyChanged{"Telephone", false, sampleURL, sampleTime, sampleIP}),

	KindPasswordReset:       of("A shopper asked for a new password.", PasswordReset{sampleURL, 60, sampleIP}),
	KindPasswordChanged:     of("A shopper’s password was changed.", PasswordChanged{sampleURL, sampleTime, sampleIP}),
	KindEmailChanged:        of("A shopper’s account has another address now; to the former one.", EmailChanged{"ada@example.com", sampleTime, sampleIP}),
	KindEmailChangeConfirm:  of("A shopper asked for another address; to the new one.", EmailChangeConfirm{sampleURL, 1}),
	KindEmailChangeRequest:  of("A shopper asked for another address; to the present one.", EmailChangeRequested{"ada@example.com", sampleURL, sampleTime, sampleIP}),
	KindCustomerVerifyEmail: of("A shopper registered.", CustomerVerifyEmail{"Ada", sampleURL, 48}),
	KindCustomerKnownSignup: of("Somebody registered with the address of an account that there is.", CustomerKnownSignup{sampleURL, sampleTime, sampleIP}),
	KindNewsletterConfirm:   of("Somebody wants the newsletter, and has to confirm it.", NewsletterConfirm{sampleURL, 48}),
	KindCartAbandoned:       of("A cart was left.", CartAbandoned{sampleLines, sampleURL, sampleEnd}),
	KindDraftOrder:          of("A draft order is sent to be paid.", DraftOrder{"As we said on the telephone.", sampleLines, euros(500), euros(5750), true, sampleURL, sampleTime}),
	KindOrderConfirmation: of("An order was placed.", OrderConfirmation{
		Name: "Ada", Number: "#1001", PlacedAt: sampleTime, URL: sampleURL, Lines: sampleLines,
		Subtotal: euros(6250), Discount: euros(500), Shipping: euros(490), ShippingMethod: "Parcel", Tax: euros(996), TaxIncluded: true, Total: euros(6240),
		Credit: euros(1000), Due: euros(5240), ShippingAddress: sampleAddress, BillingAddress: sampleAddress,
		Instructions: "Please transfer the amount to\nDE02 1203 0000 0000 2020 51.",
	}),
	KindOrderPayment:      of("Something is left to pay of an order.", OrderPayment{"Ada", "#1001", sampleURL, euros(1990)}),
	KindPaymentFailed:     of("A payment failed while nobody was there.", PaymentFailed{"#1001", sampleLines, euros(6240), sampleURL}),
	KindOrderShipped:      of("An order, or a part of it, was sent.", OrderShipped{"Ada", "#1001", sampleURL, sampleItems, "Example Post", "EX123456789", sampleURL + "/parcel", sampleAddress}),
	KindOrderRefunded:     of("Money was given back.", OrderRefunded{"Ada", "#1001", sampleURL, euros(2450), false, "It arrived broken."}),
	KindOrderReturn:       of("A return was asked for, or got on.", OrderReturn{"Ada", "#1001", sampleURL, "approved", sampleItems, "Please pack it well."}),
	KindStockAlertConfirm: of("Somebody wants to be told when something is back, and has to confirm it.", StockAlertConfirm{"Stoneware mug, Large / Blue", sampleURL}),
	KindBackInStock:       of("Something is back.", BackInStock{"Stoneware mug, Large / Blue", sampleURL}),

	KindWithdrawalReceived: of("Somebody withdrew from a contract; to them.", WithdrawalReceived{"Ada Example", "1001", "The bowl alone.", sampleTime}),
	KindWithdrawalDeclared: of("Somebody withdrew from a contract; to the shop.", WithdrawalDeclared{"Ada Example", "ada@example.com", "1001", "The bowl alone.", sampleTime, true}),
	KindContactMessage:     of("Somebody wrote to the shop by its form; to the shop.", ContactMessage{"Ada Example", "ada@example.com", "1001", "Is the bowl safe in an oven?"}),

	KindStaffInvitation: of("Somebody is invited to the staff.", StaffInvitation{"Ada Example", "Catalogue", sampleURL, 7}),
	KindStockLow:        of("Stock has become low or run out; to the staff.", StockLow{[]StockItem{{"Stoneware mug, Large / Blue", "MUG-L-BLUE", 2}, {"Bowl", "", 0}}, 3}),
	KindKeyExpiring:     of("A key expires within a week; to the staff.", KeyExpiring{"Warehouse", "stoa_sk_live_…aB3x", false, sampleTime, sampleURL}),
	KindDomainFailing:   of("A domain of the shop’s leads elsewhere; to the owners.", DomainFailing{"shop.example.com", sampleTime, false, sampleURL}),
	KindWebhookDisabled: of("A webhook endpoint was turned off; to the owner.", WebhookDisabled{"https://hooks.example.com/in", sampleTime, "The endpoint answered 500.", false, sampleURL}),
}
