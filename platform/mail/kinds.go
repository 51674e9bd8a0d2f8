package mail

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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
	KindPasskeyChanged      Kind = "passkey_changed"
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
	KindDomainFailing       Kind = "domain_failing"
	KindStockAlertConfirm   Kind = "stock_alert_confirm"
	KindBackInStock         Kind = "back_in_stock"
	KindContactMessage      Kind = "contact_message"
	KindWithdrawalReceived  Kind = "withdrawal_received"
	KindWithdrawalDeclared  Kind = "withdrawal_declared"
)

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
func (PasskeyChanged) Kind() Kind { return KindPasskeyChanged }

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
func (ContactMessage) Kind() Kind { return KindContactMessage }

// Kind implements Data.
func (WithdrawalReceived) Kind() Kind { return KindWithdrawalReceived }

// Kind implements Data.
func (WithdrawalDeclared) Kind() Kind { return KindWithdrawalDeclared }

// Kind implements Data.
func (KeyExpiring) Kind() Kind { return KindKeyExpiring }

// Kind implements Data.
func (DomainFailing) Kind() Kind { return KindDomainFailing }

// Kind implements Data.
func (WebhookDisabled) Kind() Kind { return KindWebhookDisabled }

// about is what there is to know of a kind.
type about struct {
	when   string // a store sends it; empty for mails that the platform alone sends
	sample Data
	decode func([]byte) (Data, error)
}

// of tells of the kind of a sample.
func of[T Data](when string, sample T) about { return about{when, sample, decode[T]} }

// decode reads data of type T.
func decode[T Data](data []byte) (Data, error) {
	var out T
	err := json.Unmarshal(data, &out)
	return out, err
}

// Decode reads the data of a kind from the JSON that a job carried. Data without a kind
// or of an unknown one is ErrPermanent.
func Decode(kind Kind, data []byte) (Data, error) {
	known, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("%w: unknown kind %q", ErrPermanent, kind)
	}
	out, err := known.decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: data of %s: %w", ErrPermanent, kind, err)
	}
	return out, nil
}

// OfStores are the kinds of mail that stores send, by name.
func OfStores() []Kind {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(kinds)), func(k Kind) bool { return kinds[k].when == "" })
}

// SentByStores says whether stores send mails of the kind.
func (k Kind) SentByStores() bool { return kinds[k].when != "" }

// When says when a mail of the kind is sent.
func (k Kind) When() string { return kinds[k].when }

// Sample is what a mail of the kind could tell.
func (k Kind) Sample() Data { return kinds[k].sample }
