# Settings that GitLab keeps in its database. `gitlab-rails runner` runs this file after each start, so that they are as here:
# change config.env, not the page of the administrator.
wanted = {
  # Webhooks to private addresses are refused, except to the hosts and ports in the list.
  allow_local_requests_from_web_hooks_and_services: false,
  allow_local_requests_from_system_hooks: false,
  outbound_local_requests_allowlist_raw: ENV.fetch('WEBHOOK_HOSTS'),
  # Accounts are created by an administrator.
  signup_enabled: false,
  # No policy lets these requests out.
  usage_ping_enabled: false,
  version_check_enabled: false
}
settings = ApplicationSetting.current || ApplicationSetting.create_from_defaults
settings.update!(wanted)
puts "webhooks inside of the cluster may go to #{settings.outbound_local_requests_allowlist.join(', ')}"
