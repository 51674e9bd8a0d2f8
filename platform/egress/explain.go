package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// Explain says for the merchant why a request failed. Unlike the error's own text it
// names no address, resolver or other thing of the platform's network.
func Explain(err error) string {
	var (
		refused     *Refused
		timeout     net.Error
		unresolved  *net.DNSError
		certificate *tls.CertificateVerificationError
		dial        *net.OpError
		request     *url.Error
		status      Status
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Detail
	case errors.As(err, &status):
		return fmt.Sprintf("The address answered %d.", int(status))
	case errors.Is(err, ErrStatus):
		return "The address answered with an error." // the status is in the answer's own record
	case errors.Is(err, context.Canceled):
		return "The request was interrupted."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "There was no complete answer within the time allowed."
	case errors.As(err, &unresolved):
		return "The host name does not resolve."
	case errors.As(err, &certificate):
		return "The host's certificate is not valid for it."
	case errors.Is(err, http.ErrSchemeMismatch):
		return "The host does not speak HTTPS on this port."
	case errors.As(err, &dial) && dial.Op == "dial":
		return "The host does not accept connections on this port."
	case errors.As(err, &request):
		return "The connection broke before the answer was complete."
	}
	return "The request failed."
}
