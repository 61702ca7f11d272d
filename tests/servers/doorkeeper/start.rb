# Doorkeeper in a Rails application of one file, with one client; prints its address. The user is always ann.
require "json"
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "doorkeeper"
require "webrick"
require "rack/handler/webrick"

WANTED = JSON.parse(ARGV[0])
ENV["DATABASE_URL"] = "sqlite3::memory:"

class Application < Rails::Application
  config.eager_load = false
  config.secret_key_base = "secret-of-the-tests-0123456789"
  config.logger = Logger.new(IO::NULL)
  config.hosts.clear
  config.active_record.sqlite3.represent_boolean_as_integer = true if config.active_record.respond_to?(:sqlite3) && config.active_record.sqlite3
end

class ApplicationController < ActionController::Base; end

class MeController < ActionController::API
  before_action { doorkeeper_authorize! }
  def show = render(json: { name: "ann" })
end

Doorkeeper.configure do
  orm :active_record
  resource_owner_authenticator { Struct.new(:id).new(1) }
  default_scopes :read
  use_refresh_token
  force_ssl_in_redirect_uri false
  pkce_code_challenge_methods ["S256"] if respond_to?(:pkce_code_challenge_methods)
end

Application.initialize!
ActiveRecord::Base.establish_connection(adapter: "sqlite3", database: "file:doorkeeper?mode=memory&cache=shared", flags: SQLite3::Constants::Open::READWRITE | SQLite3::Constants::Open::CREATE | SQLite3::Constants::Open::URI)
ActiveRecord::Schema.verbose = false
ActiveRecord::Schema.define do
  create_table :oauth_applications do |t|
    t.string :name, :uid, :secret
    t.text :redirect_uri
    t.string :scopes, default: ""
    t.boolean :confidential, default: true
    t.timestamps
  end
  create_table :oauth_access_grants do |t|
    t.integer :resource_owner_id, :application_id
    t.string :token, :code_challenge, :code_challenge_method
    t.integer :expires_in
    t.text :redirect_uri
    t.datetime :created_at, :revoked_at
    t.string :scopes, default: ""
  end
  create_table :oauth_access_tokens do |t|
    t.integer :resource_owner_id, :application_id, :expires_in
    t.string :token, :refresh_token, :scopes
    t.string :previous_refresh_token, default: ""
    t.datetime :revoked_at, :created_at
  end
end
Rails.application.routes.draw do
  use_doorkeeper
  get "/me" => "me#show"
end
Doorkeeper::Application.create!(name: "flowlet", uid: WANTED["client_id"], secret: WANTED["client_secret"], redirect_uri: WANTED["redirect_uri"], scopes: "read")
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: 0, Logger: WEBrick::Log.new(IO::NULL), AccessLog: [])
server.mount "/", Rack::Handler::WEBrick, Rails.application
$stdout.puts({ address: "http://127.0.0.1:#{server.config[:Port]}", version: Doorkeeper::VERSION::STRING }.to_json)
$stdout.flush
server.start
