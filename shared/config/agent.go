package config

// Agents returns the tasks that a study may learn: criteria or evidence alone, or both, with
// one encoder (share) or two (joint).
func Agents() []string { return []string{"criteria", "evidence", "share", "joint"} }

// ForAgent returns the study as it is for an agent: the study itself for its own agent, and
// for another a study of its own, named after both ("quickstart-evidence"). An agent that is
// not known, or a name that becomes too long, is an error that says what is allowed. The
// study that is given is left as it is.
func ForAgent(s *Study, agent string) (*Study, error) {
	if agent == s.Agent {
		return s, nil
	}
	other := *s
	other.Agent = agent
	other.Name += "-" + agent
	text, err := other.JSON()
	if err != nil {
		return nil, err
	}
	return FromJSON(text)
}
