"""How a response looks: a status line, then its body. All of it is escaped: an API's HTML is shown, not run."""
