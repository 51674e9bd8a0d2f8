package mail

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
)

// Kind is what a mail is about. Kinds are kept with jobs and in the mailbox: they never
// change their meaning.
type Kind string

// The kinds.
const (
	KindAccountVerifyEmail  Kind = "account_verify_email"
	KindAccountKnownSignup  Kind = "account_known_signup"
	KindPasswordReset       Kind = "password_reset"
	KindPasswordChanged     Kind = "password_changed"
	KindEmailChanged        Kind = "email_changed"
	KindEmailChangeConfirm  Kind = "email_change_confirm"
	KindEmailChangeRequest  Kind = "email_change_requested"
	KindTOTPChanged         Kind = "totp_changed"
	KindStaffInvitation     Kind = "staff_invitation"
	KindCustomerVerifyEmail Kind = "customer_verify_email"
	KindCustomerKnownSignup Kind = "customer_known_signup"
	KindNewsletterConfirm   Kind = "newsletter_confirm"
	KindCartAbandoned       Kind = "cart_abandoned"
	KindDraftOrder          Kind = "draft_order"
	KindOrderConfirmation   Kind = "order_confirmation"
	KindOrderPayment        Kind = "order_payment"
	KindOrderRefunded       Kind = "order_refunded"
	KindOrderReturn         Kind = "order_return"
	KindOrderShipped        Kind = "order_shipped"
	KindWebhookDisabled     Kind = "webhook_disabled"
	KindPaymentFailed       Kind = "payment_failed"
	KindStockLow            Kind = "stock_low"
	KindKeyExpiring         Kind = "key_expiring"
	KindStockAlertConfirm   Kind = "stock_alert_confirm"
	KindBackInStock         Kind = "back_in_stock"
)

// Data is what a mail of one kind tells. Each kind has one struct, below, which can also
// travel in a job as JSON: see Decode.
type Data interface{ Kind() Kind }

// AccountVerifyEmail asks a new account to confirm its address.
type AccountVerifyEmail struct {
	URL        string `json:"url"`
	ValidHours int    `json:"valid_hours"`
}

// AccountKnownSignup tells the owner of an account that somebody tried to sign up with
// its address.
type AccountKnownSignup struct {
	SignInURL string    `json:"sign_in_url"`
	ResetURL  string    `json:"reset_url"`
	At        time.Time `json:"at"`
	IP        string    `json:"ip"`
}

// PasswordReset brings the link that sets a new password.
type PasswordReset struct {
	URL          string `json:"url"`
	ValidMinutes int    `json:"valid_minutes"`
	IP           string `json:"ip"`
}

// PasswordChanged tells that the password was changed.
type PasswordChanged struct {
	ResetURL string    `json:"reset_url"`
	At       time.Time `json:"at"`
	IP       string    `json:"ip"`
}

// EmailChanged tells the former address that the account has another now.
type EmailChanged struct {
	NewEmail string    `json:"new_email"` // shown with its middle left out
	At       time.Time `json:"at"`
	IP       string    `json:"ip"`
}

// EmailChangeConfirm asks the new address to confirm the change.
type EmailChangeConfirm struct {
	URL        string `json:"url"`
	ValidHours int    `json:"valid_hours"`
}

// EmailChangeRequested tells the present address that another one was asked for.
type EmailChangeRequested struct {
	NewEmail string    `json:"new_email"` // shown with its middle left out
	ResetURL string    `json:"reset_url"`
	At       time.Time `json:"at"`
	IP       string    `json:"ip"`
}

// TOTPChange is what happened to an account's second factor.
type TOTPChange string

// What can happen to a second factor.
const (
	TOTPEnabled      TOTPChange = "enabled"
	TOTPDisabled     TOTPChange = "disabled"
	TOTPCodesRenewed TOTPChange = "codes_renewed"
	TOTPCodeUsed     TOTPChange = "code_used"
)

// TOTPChanged tells of a change of the second factor.
type TOTPChanged struct {
	Change   TOTPChange `json:"change"`
	ResetURL string     `json:"reset_url"`
	At       time.Time  `json:"at"`
	IP       string     `json:"ip"`
}

// StaffInvitation invites a person to work in a store.
type StaffInvitation struct {
	StoreName string `json:"store_name"`
	Inviter   string `json:"inviter"` // name or address
	Role      string `json:"role"`
	URL       string `json:"url"`
	ValidDays int    `json:"valid_days"`
}

// CustomerVerifyEmail asks a shopper to confirm the address.
type CustomerVerifyEmail struct {
	Name       string `json:"name"`
	URL        string `json:"url"`
	ValidHours int    `json:"valid_hours"`
}

// CustomerKnownSignup tells a shopper that somebody tried to register with the address of
// the account that they have.
type CustomerKnownSignup struct {
	SignInURL string    `json:"sign_in_url"`
	At        time.Time `json:"at"`
	IP        string    `json:"ip"`
}

// NewsletterConfirm asks somebody to confirm that they want to be written to about new things.
type NewsletterConfirm struct {
	URL        string `json:"url"`
	ValidHours int    `json:"valid_hours"`
}

// Line is a line of an order.
type Line struct {
	Title    string      `json:"title"`
	Variant  string      `json:"variant"` // "Large / Blue"; empty for the only one
	Quantity int         `json:"quantity"`
	Total    money.Money `json:"total"`
}

// CartAbandoned reminds a shopper of what they left in a cart.
type CartAbandoned struct {
	Lines       []Line `json:"lines"`
	URL         string `json:"url"`
	Unsubscribe string `json:"unsubscribe"` // where no such mails are asked for
}

// DraftOrder brings a shopper the link by which they pay what they agreed on with the shop.
type DraftOrder struct {
	Message  string      `json:"message"` // what the shop has to say
	Lines    []Line      `json:"lines"`
	Discount money.Money `json:"discount"`
	Total    money.Money `json:"total"`
	Open     bool        `json:"open"` // the total is not the last word: sending, or tax, is still to be known
	URL      string      `json:"url"`
	Until    time.Time   `json:"until"`
}

// Address is where an order goes.
type Address struct {
	Name       string `json:"name"`
	Company    string `json:"company"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2"`
	PostalCode string `json:"postal_code"`
	City       string `json:"city"`
	Region     string `json:"region"`
	Country    string `json:"country"` // its name, or its code
}

// OrderConfirmation confirms an order.
type OrderConfirmation struct {
	Name            string      `json:"name"`
	Number          string      `json:"number"`
	PlacedAt        time.Time   `json:"placed_at"`
	URL             string      `json:"url"`
	Lines           []Line      `json:"lines"`
	Subtotal        money.Money `json:"subtotal"`
	Discount        money.Money `json:"discount"` // what is taken off, positive; zero for none
	Shipping        money.Money `json:"shipping"`
	ShippingMethod  string      `json:"shipping_method"`
	Tax             money.Money `json:"tax"`
	TaxIncluded     bool        `json:"tax_included"` // the tax is within the prices
	Total           money.Money `json:"total"`
	Credit          money.Money `json:"credit"` // what gift cards and store credit paid of it; zero for nothing
	Due             money.Money `json:"due"`    // and what they left
	ShippingAddress Address     `json:"shipping_address"`
	BillingAddress  Address     `json:"billing_address"`
	Instructions    string      `json:"instructions"` // how to pay what is due; empty for nothing
	Test            bool        `json:"test"`         // of a sandbox
}

// OrderPayment asks to pay what is left to pay of an order.
type OrderPayment struct {
	Name        string      `json:"name"`
	Number      string      `json:"number"`
	URL         string      `json:"url"` // where it can be paid
	Outstanding money.Money `json:"outstanding"`
}

// OrderRefunded tells that money was given back.
type OrderRefunded struct {
	Name   string      `json:"name"`
	Number string      `json:"number"`
	URL    string      `json:"url"`
	Amount money.Money `json:"amount"`
	Full   bool        `json:"full"`
	Reason string      `json:"reason"`
}

// OrderReturn tells how far a return has come.
type OrderReturn struct {
	Name    string `json:"name"`
	Number  string `json:"number"`
	URL     string `json:"url"`
	State   string `json:"state"`   // requested, approved, declined, received, closed or cancelled
	Lines   []Line `json:"lines"`   // what comes back; their totals are not shown
	Message string `json:"message"` // of the merchant's
}

// OrderShipped tells that an order, or a part of it, is on its way.
type OrderShipped struct {
	Name           string  `json:"name"`
	Number         string  `json:"number"`
	URL            string  `json:"url"`
	Lines          []Line  `json:"lines"` // what is on its way; their totals are not shown
	Carrier        string  `json:"carrier"`
	TrackingNumber string  `json:"tracking_number"`
	TrackingURL    string  `json:"tracking_url"`
	Address        Address `json:"address"`
}

// WebhookDisabled tells that an endpoint failed for so long that it was turned off.
type WebhookDisabled struct {
	StoreName   string    `json:"store_name"`
	Endpoint    string    `json:"endpoint"` // its URL
	Since       time.Time `json:"since"`    // of the first failure
	LastFailure string    `json:"last_failure"`
	Gone        bool      `json:"gone"` // it answered 410
	URL         string    `json:"url"`  // where to turn it on again
}

// PaymentFailed tells a shopper, who is not there any more, that nothing could be taken.
type PaymentFailed struct {
	Number string      `json:"number"` // of the order; empty where there is none yet
	Lines  []Line      `json:"lines"`  // of the cart, where there is no order
	Amount money.Money `json:"amount"`
	URL    string      `json:"url"` // where it can be paid
}

// StockLow tells the staff what has become scarce.
type StockLow struct {
	StoreName string      `json:"store_name"`
	Items     []StockItem `json:"items"`
	More      int         `json:"more"` // how many there are besides
}

// StockItem is a variant and how much there is of it.
type StockItem struct {
	Title  string `json:"title"`
	SKU    string `json:"sku"`
	OnHand int64  `json:"on_hand"`
}

// KeyExpiring tells that a key will soon stop working.
type KeyExpiring struct {
	StoreName string    `json:"store_name"`
	KeyName   string    `json:"key_name"`
	Shown     string    `json:"shown"` // its beginning and its end
	Test      bool      `json:"test"`  // of the sandbox
	ExpiresAt time.Time `json:"expires_at"`
	URL       string    `json:"url"`
}

// StockAlertConfirm asks whoever wants to be told when a thing is back whether it was them.
type StockAlertConfirm struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// BackInStock tells that a thing is back, once.
type BackInStock struct {
	Title string `json:"title"`
	URL   string `json:"url"` // the product's page
}

// Kind implements Data.
func (AccountVerifyEmail) Kind() Kind { return KindAccountVerifyEmail }

// Kind implements Data.
func (AccountKnownSignup) Kind() Kind { return KindAccountKnownSignup }

// Kind implements Data.
func (PasswordReset) Kind() Kind { return KindPasswordReset }

// Kind implements Data.
func (PasswordChanged) Kind() Kind { return KindPasswordChanged }

// Kind implements Data.
func (EmailChanged) Kind() Kind { return KindEmailChanged }

// Kind implements Data.
func (EmailChangeConfirm) Kind() Kind { return KindEmailChangeConfirm }

// Kind implements Data.
func (EmailChangeRequested) Kind() Kind { return KindEmailChangeRequest }

// Kind implements Data.
func (TOTPChanged) Kind() Kind { return KindTOTPChanged }

// Kind implements Data.
func (StaffInvitation) Kind() Kind { return KindStaffInvitation }

// Kind implements Data.
func (CustomerVerifyEmail) Kind() Kind { return KindCustomerVerifyEmail }

// Kind implements Data.
func (CustomerKnownSignup) Kind() Kind { return KindCustomerKnownSignup }

// Kind implements Data.
func (NewsletterConfirm) Kind() Kind { return KindNewsletterConfirm }

// Kind implements Data.
func (CartAbandoned) Kind() Kind { return KindCartAbandoned }

// Kind implements Data.
func (DraftOrder) Kind() Kind { return KindDraftOrder }

// Kind implements Data.
func (OrderConfirmation) Kind() Kind { return KindOrderConfirmation }

// Kind implements Data.
func (OrderPayment) Kind() Kind { return KindOrderPayment }

// Kind implements Data.
func (OrderRefunded) Kind() Kind { return KindOrderRefunded }

// Kind implements Data.
func (OrderReturn) Kind() Kind { return KindOrderReturn }

// Kind implements Data.
func (OrderShipped) Kind() Kind { return KindOrderShipped }

// Kind implements Data.
func (PaymentFailed) Kind() Kind { return KindPaymentFailed }

// Kind implements Data.
func (StockLow) Kind() Kind { return KindStockLow }

// Kind implements Data.
func (StockAlertConfirm) Kind() Kind { return KindStockAlertConfirm }

// Kind implements Data.
func (BackInStock) Kind() Kind { return KindBackInStock }

// Kind implements Data.
func (KeyExpiring) Kind() Kind { return KindKeyExpiring }

// Kind implements Data.
func (WebhookDisabled) Kind() Kind { return KindWebhookDisabled }

// decoders read each kind's data.
var decoders = map[Kind]func([]byte) (Data, error){
	KindAccountVerifyEmail:  decode[AccountVerifyEmail],
	KindAccountKnownSignup:  decode[AccountKnownSignup],
	KindPasswordReset:       decode[PasswordReset],
	KindPasswordChanged:     decode[PasswordChanged],
	KindEmailChanged:        decode[EmailChanged],
	KindEmailChangeConfirm:  decode[EmailChangeConfirm],
	KindEmailChangeRequest:  decode[EmailChangeRequested],
	KindTOTPChanged:         decode[TOTPChanged],
	KindStaffInvitation:     decode[StaffInvitation],
	KindCustomerVerifyEmail: decode[CustomerVerifyEmail],
	KindCustomerKnownSignup: decode[CustomerKnownSignup],
	KindNewsletterConfirm:   decode[NewsletterConfirm],
	KindCartAbandoned:       decode[CartAbandoned],
	KindDraftOrder:          decode[DraftOrder],
	KindOrderConfirmation:   decode[OrderConfirmation],
	KindOrderPayment:        decode[OrderPayment],
	KindOrderRefunded:       decode[OrderRefunded],
	KindOrderReturn:         decode[OrderReturn],
	KindOrderShipped:        decode[OrderShipped],
	KindWebhookDisabled:     decode[WebhookDisabled],
	KindPaymentFailed:       decode[PaymentFailed],
	KindStockLow:            decode[StockLow],
	KindKeyExpiring:         decode[KeyExpiring],
	KindStockAlertConfirm:   decode[StockAlertConfirm],
	KindBackInStock:         decode[BackInStock],
}

// Decode reads the data of a kind from the JSON that a job carried. Data without a kind
// or of an unknown one is ErrPermanent.
func Decode(kind Kind, data []byte) (Data, error) {
	read, ok := decoders[kind]
	if !ok {
		return nil, fmt.Errorf("%w: unknown kind %q", ErrPermanent, kind)
	}
	out, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("%w: data of %s: %w", ErrPermanent, kind, err)
	}
	return out, nil
}

// decode reads data of type T.
func decode[T Data](data []byte) (Data, error) {
	var out T
	err := json.Unmarshal(data, &out)
	return out, err
}
