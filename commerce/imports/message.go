package imports

import "github.com/stoacommerce/stoa/commerce/operations"

// What an import says of its rows is what every operation says.
type (
	Message  = operations.Message
	Severity = operations.Severity
	Outcome  = operations.Outcome
	Counts   = operations.Counts
)

// The words of operations that rows are told of in.
const (
	Error   = operations.Error
	Warning = operations.Warning
	Info    = operations.Info

	Created = operations.Created
	Updated = operations.Updated
	Skipped = operations.Skipped
	Failed  = operations.Failed
)

// maxMessages bounds what is said about a row.
const maxMessages = 50

func message(severity Severity, code, field, detail string, args ...any) Message {
	return operations.Say(severity, code, field, detail, args...)
}

func cut(text string, most int) string { return operations.Cut(text, most) }
