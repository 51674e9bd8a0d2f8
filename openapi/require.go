package openapi

// Require asks for a permission besides the operation's own, where what is needed hangs on
// what is asked for.
func (r *Request) Require(permission string) error {
	op, other := *r.Operation, *r
	op.Permission, other.Operation = permission, &op
	return r.router.allow(&other)
}
