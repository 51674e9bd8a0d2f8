package members

// EventData is what events tell of a member of the staff, or of somebody invited.
type EventData struct {
	AccountID *string `json:"account_id"`
	Email     string  `json:"email"`
	Role      string  `json:"role"`
	RoleID    *string `json:"role_id"`
}

func (d EventData) as(a Assignment) EventData {
	d.Role = a.Role
	if a.RoleID != "" {
		d.RoleID = &a.RoleID
	}
	return d
}
