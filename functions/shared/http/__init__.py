"""HTTP: routes, requests, responses, problem details, authentication and limits."""
